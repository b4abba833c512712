#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A vrrp worker that cannot be brought back, and one that hangs when the director is told to stop: the parent resigns
# in its stead, so that the BACKUP need not wait for silence.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v tcpdump >/dev/null || skip "tcpdump is not installed"

# Every advertisement that the client sees.
watch_advertisements() {
  lab_spawn client adverts tcpdump -tt -l -n -i eth0 ip proto 112
  await 5 grep -q 'listening on' "$LAB_STATE/client/adverts.log"
}
resigned() { grep "192.168.100.244 > .* prio 0," "$LAB_STATE/client/adverts.log"; }
# From director-1's last advertisement as MASTER to director-2's first.
seconds_between_masters() {
  awk '/> 224.0.0.18/ && /prio 100,/ && !taken {last = $1} /prio 50,/ && !taken {taken = $1}
    END {print taken ? taken - last : 999}' "$LAB_STATE/client/adverts.log"
}
between_masters_less_than() { awk "BEGIN {exit !($(seconds_between_masters) < $1)}"; }
resigned_no_more_than() { [ "$(resigned | wc -l)" -le "$1" ]; }

reference_running
watch_advertisements
lab_spawn director-1 killer bash -c 'while :; do pkill -KILL -f "^[^ ]*xdirector worker vrrp"; sleep 0.02; done'
check_within 12 "a worker killed again and again: director-2 takes over" has_vip director-2
check "because director-1 resigned" resigned
check_within 2 "less than 3 s lie between the one's last advertisement and the other's first" between_masters_less_than 3
echo "      $(seconds_between_masters) s"
check "which has the VIP no more" has_no_vip director-1
check "and says so" vrrp_state_is director-1 FAULT
REST_TIMEOUT=1 check_within 5 "requests are answered" rest
check "it resigned once" resigned_no_more_than 1
lab_stop director-1 killer KILL
check_within 20 "left alone, it is MASTER again" is_master director-1
check_within 3 "and director-2 gives way" has_no_vip director-2
REST_TIMEOUT=1 check_within 5 "requests are answered" rest

: >"$LAB_STATE/client/adverts.log"
director_signal director-1 STOP "worker vrrp"
director_signal director-1 TERM
check_within 3 "SIGTERM while the vrrp worker hangs: it ends when a handover would have been over" lab_not_running director-1 unit
check "without the VIP" has_no_vip director-1
check_within 2 "having resigned, so director-2 takes over at once" has_vip director-2
check "priority 0 was sent" resigned
finish
