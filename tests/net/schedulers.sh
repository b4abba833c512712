#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Schedulers: each on reload, with requests in flight of which none may fail; mh keeps a client; lc fills up whoever comes
# back; ops schedules each datagram.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
UDP_PORT=5300 DOWNLOADS=20

rest_is() { # JQ_ASSIGNMENTS to the REST service, in force
  set_config director-1 "(.virtual_servers[] | select(.name == \"rest\")) |= (del(.[\"mh-port\"]) | $1)"
  reload director-1
}
both_hosts() { [ "$(sort -u <<<"$1" | paste -sd' ')" = "real-1 real-2" ]; }
active_connections() { # REAL_SERVER
  director_status director-1 --json |
    jq --arg real "$1" '.virtual_servers[] | select(.name == "rest").real_servers[] | select(.address == $real).active_connections'
}
counted() { [ "$(active_connections 192.168.100.34)" -ge "$DOWNLOADS" ]; }
next_go_to() { [ "$(sort -u <<<"$(rest_hosts 4)")" = "$1" ]; }
ask() { lab_exec client "$TEST_SUPPORT/udp_name" ask "$VIP" "$UDP_PORT" --count 12; }

reference_running

# --- none of them loses a connection ---
background load "$TEST_SUPPORT/http_load" --in-flight 50 --timeout-ms 15000 "http://$VIP:$REST_PORT/slow"
await 5 client_connections_reach 40
background pinned curl -sS --limit-rate 8M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"
for scheduler in rr lc sh mh wlc wrr; do
  check "$scheduler is taken on reload" rest_is ".lb_algo = \"$scheduler\""
  check "and shown" grep -q "\"rest\" $scheduler DR" <(director_status director-1)
  requests=$(director_status director-1 --json | jq .verdicts.scheduled)
  more() { [ "$(director_status director-1 --json | jq .verdicts.scheduled)" -ge $((requests + 50)) ]; }
  check_within 5 "and connections go on being scheduled" more
done
check "a download that went on through all of it is complete" is "$(outcome pinned)" 67108864
lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request failed" is "$(jq .failed <<<"$report")" 0

# --- by the client ---
check "mh" rest_is '.lb_algo = "mh"'
check "keeps a client with one real server" one_host 12 "$(rest_hosts 12)"
check "mh with mh-port" rest_is '.lb_algo = "mh" | .["mh-port"] = true'
check "spreads its connections" both_hosts "$(rest_hosts 24)"

# --- by the connections ---
check "lc" rest_is '.lb_algo = "lc"'
rest_stop real-2
check_within 10 "real-2 fails its checks" real_server_is director-1 rest 192.168.100.35 down
for ((i = 0; i < DOWNLOADS; i++)); do
  background "download-$i" curl -sS --max-time 60 --limit-rate 100k -o /dev/null "http://$VIP:$REST_PORT/large"
done
check_within 10 "all connections are real-1's" counted
rest_start real-2
check_within 10 "real-2 is back" real_server_is director-1 rest 192.168.100.35 up
check_within 5 "new connections are real-2's" next_go_to real-2
lab_exec client pkill -TERM -x curl

# --- by the datagram ---
for node in real-1 real-2; do
  lab_spawn "$node" udp "$TEST_SUPPORT/udp_name" serve "$VIP" "$UDP_PORT" "$node"
done
# shellcheck disable=SC2016 # jq's, not the shell's
set_config director-1 '.virtual_servers += [{name: "udp", address: "'$VIP'", port: '$UDP_PORT', protocol: "UDP",
  lb_algo: "rr", lb_kind: "DR",
  real_servers: [("192.168.100.34", "192.168.100.35") as $address | {address: $address, port: '$UDP_PORT'}]}]'
check "a UDP service" reload director-1
check "keeps a flow with one real server" one_host 12 "$(ask)"
set_config director-1 '.virtual_servers[-1].ops = true'
check "with ops" reload director-1
check "each datagram is scheduled by itself" alternates "$(ask)"
finish
