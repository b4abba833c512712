#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reloads that change VRRP: a virtual address added, moved to an instance whose MASTER is the other director, removed;
# a priority raised on the BACKUP. What is not concerned notices nothing.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
VIP_2=192.168.100.112

has_vip_2() { lab_exec "$1" ip -4 -o address show dev enp1s0 | grep -F " $VIP_2/" >/dev/null; }
has_no_vip_2() { ! has_vip_2 "$1"; }
rest_2() { REST_TIMEOUT=1 VIP=$VIP_2 rest; }
leases() { lab_exec "$1" bpftool -j map dump pinned /sys/fs/bpf/xdirector/leases |
  jq '[.[].formatted.value | .. | objects | select(has("address") and (.address.word | any(. != 0)))] | length'; }
one_lease() { [ "$(leases "$1")" = 1 ]; }

# on_both JQ_FILTER: director-1 first, as an operator would.
on_both() {
  local node
  for node in director-1 director-2; do
    set_config "$node" "$1"
    check "$node takes it" reload "$node"
  done
}

reference_running
for node in real-1 real-2; do lab_exec "$node" "$XDIRECTOR" real-server add "$VIP_2" >/dev/null; done
watch_vip director-1
watch_vip director-2
background load "$TEST_SUPPORT/http_load" --in-flight 2 --timeout-ms 3000 --pause-ms 30 "http://$VIP:$REST_PORT/"

echo "      a second virtual address, with a virtual server on it"
on_both '.vrrp_instances[0].virtual_ipaddress += ["'$VIP_2'"]
  | .virtual_servers += [.virtual_servers[] | select(.name == "rest") | .name = "rest-2" | .address = "'$VIP_2'"]'
check_within 3 "director-1 has it" has_vip_2 director-1
check_within 5 "requests to it are answered" rest_2
check "director-2 does not have it" has_no_vip_2 director-2

echo "      moved to an instance of its own, whose MASTER is director-2"
on_both '.vrrp_instances += [.vrrp_instances[0] | .name = "VI_2" | .virtual_router_id = 101 | .state = "BACKUP"
    | .virtual_ipaddress = ["'$VIP_2'"] | .priority = 150 - .priority]
  | .vrrp_instances[0].virtual_ipaddress = ["'$VIP'"]'
check_within 8 "director-2 has it" has_vip_2 director-2
check_within 5 "director-1 does not" has_no_vip_2 director-1
check_within 5 "requests to it are answered" rest_2
check "director-1 is MASTER of the first instance" vrrp_state_is director-1 MASTER VI_1
check "and BACKUP of the second" vrrp_state_is director-1 BACKUP VI_2

echo "      removed"
on_both 'del(.vrrp_instances[1]) | del(.virtual_servers[] | select(.name == "rest-2"))'
for node in director-1 director-2; do
  check_within 3 "$node does not have it" has_no_vip_2 "$node"
  check_within 3 "and has no lease for it" one_lease "$node"
done

lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request to the first address failed" is "$(jq .failed <<<"$report")" 0
check "which director-1 kept all the time" vip_was_left_alone director-1
check "director-2 never took it" vip_was_left_alone director-2

echo "      director-2's priority is raised above director-1's"
background load "$TEST_SUPPORT/http_load" --in-flight 1 --timeout-ms 3000 --pause-ms 30 "http://$VIP:$REST_PORT/"
set_config director-2 '.vrrp_instances[0].priority = 150'
check "director-2 takes it" reload director-2
check_within 8 "director-2 is MASTER" is_master director-2
check_within 3 "director-1 gives way" has_no_vip director-1
lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
# One that is under way at the very moment may meet a director that does not know it.
check "no request failed, but perhaps the one of that moment" test "$(jq .failed <<<"$report")" -le 1
check "nor was there a second without an answer" test "$(jq .longest_gap_ms <<<"$report")" -lt 1500
REST_TIMEOUT=1 check_within 5 "requests alternate" alternates_now
finish
