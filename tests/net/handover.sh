#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Planned handovers: a stop, `xdirector vrrp release` and `resume`, a failback. No request that opens a connection of
# its own is lost, with another xdirector as BACKUP and with keepalived. A sync group hands over as one.
#
# There is one real server, so that a connection that is open at that moment goes on: directors do not tell each other
# of connections.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v keepalived >/dev/null || skip "keepalived is not installed"

# A lost SYN would be sent again after a second: too late.
requests_start() {
  background load "$TEST_SUPPORT/http_load" --in-flight 8 --timeout-ms 900 --pause-ms 10 "http://$VIP:$REST_PORT/"
}
no_request_failed() {
  lab_exec client pkill -TERM -x http_load
  local report
  report=$(outcome load)
  echo "      $report"
  [ "$(jq .failed <<<"$report")" = 0 ]
}

vrrp() { lab_exec director-1 "$XDIRECTOR" vrrp "$@" >"$LAB_STATE/director-1/vrrp-command.log" 2>&1; }
released() { director_status director-1 --json | jq -e 'all(.vrrp_instances[]; .released)' >/dev/null; }
log_says() { grep -q "$1" "$LAB_STATE/director-1/unit.log"; }

has_vip_2() { lab_exec "$1" ip -4 -o address show dev enp1s0 | grep -F " $VIP_2/" >/dev/null; }
has_both() { has_vip "$1" && has_vip_2 "$1"; }
has_none() { has_no_vip "$1" && ! has_vip_2 "$1"; }

keepalived_start() {
  cat >"$LAB_STATE/director-2/keepalived.conf" <<CONF
vrrp_instance VI_1 {
  state BACKUP
  interface enp1s0
  virtual_router_id 100
  priority 50
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass xxxx
  }
  virtual_ipaddress {
    $VIP
  }
}
CONF
  lab_spawn director-2 keepalived keepalived --dont-fork --log-console --vrrp --no-syslog \
    --use-file "$LAB_STATE/director-2/keepalived.conf" --pid /run/keepalived.pid --vrrp_pid /run/vrrp.pid
}

# Those under way at that moment come to a host that does not know them, and are reset; but nothing is lost.
no_request_was_lost() {
  lab_exec client pkill -TERM -x http_load
  local report
  report=$(outcome load)
  echo "      $report"
  jq -e '.failed <= 16 and .longest_gap_ms < 500 and all(.reasons[]; test("receiving data"))' <<<"$report" >/dev/null
}

sees_rest_up() { real_server_is "$1" rest 192.168.100.34 up; }

deployment_up
for node in director-1 director-2; do
  hurry "$node"
  set_config "$node" '(.virtual_servers[] | select(.name == "rest") | .real_servers) |= .[:1]'
  director_start "$node"
done
check_within 10 "director-1 is MASTER" is_master director-1
check_within 10 "director-1 sees the real server up" sees_rest_up director-1
check_within 10 "director-2 sees the real server up" sees_rest_up director-2
check_within 5 "requests are answered" rest

requests_start
check "the MASTER is stopped" director_stop director-1
check_within 2 "director-2 is MASTER" is_master director-2
director_start director-1
check_within 10 "director-1 is back" is_master director-1
check_within 2 "director-2 gives way" has_no_vip director-2
check "no request failed" no_request_failed

requests_start
check "director-1 is released" vrrp release VI_1
check_within 2 "director-2 is MASTER" is_master director-2
check "director-1 stays released" never_within 4.5 has_vip director-1
check "and says so" released
check "director-1 is resumed" vrrp resume VI_1
check_within 5 "director-1 takes back" is_master director-1
check_within 2 "director-2 gives way" has_no_vip director-2
check "no request failed" no_request_failed

check "released again" vrrp release VI_1
check_within 2 "director-2 is MASTER" is_master director-2
director_kill director-2
check_within 5 "director-2 is lost: director-1 takes over though released" is_master director-1

echo "      keepalived as BACKUP, with the service on its own host"
lab_exec director-2 "$XDIRECTOR" detach
real_server_files director-2
rest_config director-2 >"$LAB_STATE/director-2/nginx.conf"
rest_start director-2
keepalived_start
check "director-1 is resumed" vrrp resume VI_1
requests_start
check "the MASTER is stopped" director_stop director-1
check_within 2 "keepalived is MASTER" has_vip director-2
check "no request was lost" no_request_was_lost
director_start director-1 # keepalived gives way in its own manner
check_within 10 "director-1 is back" is_master director-1
check_within 2 "keepalived gives way" has_no_vip director-2
check_within 5 "requests are answered" rest
requests_start
check "director-1 is released" vrrp release VI_1
check_within 2 "keepalived is MASTER" has_vip director-2
check "no request was lost" no_request_was_lost
lab_stop director-2 keepalived

echo "      a sync group of two"
director_stop director-1
for node in director-1 director-2; do
  set_config "$node" '.vrrp_instances += [.vrrp_instances[0] | .name = "VI_2" | .virtual_router_id = 101
      | .virtual_ipaddress = ["'"$VIP_2"'"]]
    | .vrrp_sync_groups = [{name: "both", group: ["VI_1", "VI_2"]}]'
  director_start "$node"
done
check_within 10 "director-1 has both addresses" has_both director-1
check "one of them is released" vrrp release VI_2
check_within 3 "director-2 has both" has_both director-2
check_within 2 "and director-1 none" has_none director-1
check "the group is resumed" vrrp resume VI_1
check_within 6 "director-1 takes both back" has_both director-1
check_within 2 "and director-2 has none" has_none director-2
finish
