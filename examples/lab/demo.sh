# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The reference deployment shown as a story: what is done, what is seen, how long it took. Any claim that does not
# hold is told and makes the demo fail.

demo_failed=0
chapter() { printf '\n%s\n' "$*"; }
seen() { printf '    %s\n' "$*"; }

# claim TEXT COMMAND...: COMMAND must hold.
claim() {
  if "${@:2}"; then
    printf '  ✓ %s\n' "$1"
  else
    printf '  ✗ %s\n' "$1"
    demo_failed=1
  fi
}

# claim_within SECONDS TEXT COMMAND...: COMMAND must hold within that time; tells how long it took.
claim_within() {
  local start
  start=$(now_ms)
  if await "$1" "${@:3}"; then
    printf '  ✓ %s (after %s s)\n' "$2" "$(seconds_since "$start")"
  else
    printf '  ✗ %s (not within %s s)\n' "$2" "$1"
    demo_failed=1
  fi
}

demo_tell() {
  local start
  start=$(now_ms)
  chapter "Raising two directors, two real servers and a client in network namespaces ($LAB_MODE XDP)"
  deployment_up
  seen "$(lab_nodes | paste -sd' ')"
  demo_start
  demo_rest
  demo_ftp
  demo_real_server_fails
  demo_master_dies
  demo_master_returns
  demo_clean_stop
  printf '\n'
  if [ "$demo_failed" = 0 ]; then
    echo "All of it held, in $(seconds_since "$start") s. Torn down."
  else
    demo_logs
    echo "Some of it did not hold (✗ above)."
  fi
  return "$demo_failed"
}

demo_start() {
  chapter "Starting xdirector on both: director-1 MASTER with priority 100, director-2 BACKUP with 50"
  director_start director-1
  director_start director-2
  claim_within 15 "$VIP is on director-1" has_vip director-1
  claim_within 15 "both real servers of both services are up" all_real_servers_up director-1
  claim "director-2 does not have it" has_no_vip director-2
  seen "xdirector status on director-1:"
  director_status director-1 | sed 's/^/    /'
}

demo_rest() {
  chapter "REST: ten requests, one connection each, to http://$VIP:$REST_PORT/"
  local hosts
  hosts=$(rest_hosts 10)
  seen "$(paste -sd' ' <<<"$hosts")"
  claim "they alternate between the real servers" alternates "$hosts"
}

demo_ftp() {
  chapter "FTP: sessions of a control connection on $FTP_PORT and three passive transfers from ports 8000-10000"
  local hosts
  hosts=$(ftp_session host host host; ftp_session host host host) || true
  seen "$(paste -sd' ' <<<"$hosts")"
  claim "all six transfers of the client came from one real server" one_host 6 "$hosts"
  claim "an upload arrives there" demo_upload "$(head -1 <<<"$hosts")"
}

demo_upload() {
  local file=upload-$RANDOM
  head -c 3000000 /dev/urandom >"$LAB_STATE/client/$file"
  lab_exec client curl -sS --max-time 20 --disable-epsv -T "$LAB_STATE/client/$file" "ftp://$VIP:$FTP_PORT/incoming/" &&
    await 2 cmp "$LAB_STATE/client/$file" "$LAB_STATE/$1/ftp/incoming/$file"
}

demo_real_server_fails() {
  chapter "real-2's REST server stops: it is checked every 6 s and has 3 retries, 3 s apart"
  rest_stop real-2
  claim_within 20 "director-1 has taken it out" real_server_is director-1 rest 192.168.100.35 down
  claim "its FTP, checked apart, is still up" real_server_is director-1 ftp 192.168.100.35 up
  local hosts
  hosts=$(rest_hosts 6)
  seen "$(paste -sd' ' <<<"$hosts")"
  claim "every request is answered, by real-1" one_host 6 "$hosts"
  rest_start real-2
  seen "real-2's REST server is started again"
  claim_within 10 "it is back" real_server_is director-1 rest 192.168.100.35 up
  claim_within 10 "requests alternate again" alternates_now
  await 20 real_server_is director-2 rest 192.168.100.35 up
}

demo_master_dies() {
  chapter "director-1 dies: kill -9 of all its processes, at once"
  director_kill director-1
  claim "its kernel still has $VIP, and nobody there to take it off" has_vip director-1
  claim_within 6 "director-2 has taken $VIP over" has_vip director-2
  REST_TIMEOUT=1 claim_within 6 "requests are answered again" rest
  local hosts
  hosts=$(rest_hosts 6)
  seen "$(paste -sd' ' <<<"$hosts")"
  claim "and alternate" alternates "$hosts"
}

demo_master_returns() {
  chapter "director-1 is started again: it has the higher priority"
  director_start director-1
  claim_within 15 "it is MASTER again" is_master director-1
  claim_within 5 "and no longer on director-2" has_no_vip director-2
  REST_TIMEOUT=1 claim_within 15 "requests are answered, and alternate" alternates_now
}

demo_clean_stop() {
  chapter "A clean stop of director-1 (SIGTERM)"
  local start
  start=$(now_ms)
  director_signal director-1 TERM
  claim_within 2 "it ends within two seconds" lab_not_running director-1 unit
  claim "without $VIP" has_no_vip director-1
  claim_within 3 "director-2 has $VIP" has_vip director-2
  REST_TIMEOUT=1 claim_within 5 "requests are answered" rest
}

demo_logs() {
  local node
  for node in director-1 director-2; do
    echo "--- the last lines of $node's log"
    tail -25 "$LAB_STATE/$node/unit.log"
  done
}
