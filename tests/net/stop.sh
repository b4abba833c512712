#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ways to end: SIGTERM, SIGINT, --keep-forwarding, detach.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

pinned() { lab_exec director-1 test -e /sys/fs/bpf/xdirector; }
attached() { lab_exec director-1 ip -d link show dev enp1s0 | grep xdp >/dev/null; }
not_pinned() { ! pinned; }
not_attached() { ! attached; }
ended_cleanly() { grep -q '^unit: exit 0$' "$LAB_STATE/director-1/unit.log"; }

stops_within_two_seconds() { # SIGNAL
  lab_exec director-1 truncate -s 0 "$LAB_STATE/director-1/unit.log"
  director_signal director-1 "$1"
  check_within 2 "SIG$1: it ends" lab_not_running director-1 unit
  check "SIG$1: with exit code 0" ended_cleanly
  check "SIG$1: the VIP is off" has_no_vip director-1
}

detach_refused() { ! lab_exec director-1 "$XDIRECTOR" detach; }

sysctls() { lab_exec director-1 cat /proc/sys/net/ipv4/conf/enp1s0/arp_{ignore,announce} | paste -sd' '; }

deployment_up
hurry director-1
hurry director-2
sysctls_before=$(sysctls)
director_start director-1
director_start director-2
check_within 10 "director-1 is MASTER" has_vip director-1
check_within 10 "both see all real servers" all_real_servers_up director-2
check "arp_ignore and arp_announce are set" is "$(sysctls)" "1 2"

stops_within_two_seconds TERM
check "nothing is pinned" not_pinned
check "no program is attached" not_attached
check "arp_ignore and arp_announce are as before" is "$(sysctls)" "$sysctls_before"
check_within 2 "priority 0 let director-2 take over at once" has_vip director-2
check_within 3 "requests are answered" rest

director_start director-1
check_within 10 "started again, it is MASTER again" is_master director-1
stops_within_two_seconds INT
check "nothing is pinned" not_pinned

director_start director-1 --keep-forwarding
check_within 10 "started with --keep-forwarding, it is MASTER again" is_master director-1
stops_within_two_seconds TERM
check "the program is still attached" attached
check "and pinned" pinned
check "detach succeeds" lab_exec director-1 "$XDIRECTOR" detach
check "and took the program off" not_attached
check "and the pins" not_pinned

director_start director-1
check_within 10 "started again, it is MASTER again" is_master director-1
check "detach refuses while it runs" detach_refused
director_kill director-1
check "killed, it leaves the VIP" has_vip director-1
check "detach succeeds" lab_exec director-1 "$XDIRECTOR" detach
check "and took the VIP off" has_no_vip director-1
check "and the program" not_attached
check "arp_ignore and arp_announce are as before" is "$(sysctls)" "$sysctls_before"
check "detach with nothing there is no error" lab_exec director-1 "$XDIRECTOR" detach
finish
