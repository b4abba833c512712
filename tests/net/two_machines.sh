#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two machines do everything: each is a director and a real server. Both serve, by whichever is MASTER, through every
# way that a MASTER can go and come back; a packet is forwarded once at most.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

peer_is_known() { director_status "$1" --json | jq -e 'all(.peer_directors[]; .mac != "")' >/dev/null; }
local_real_server_is() { # NODE ADDRESS
  director_status "$1" --json |
    jq -e --arg address "$2" '[.virtual_servers[].real_servers[] | select(.local) | .address] | unique == [$address]' >/dev/null
}

# verdicts NODE [NAME]: how many packets were counted, under this verdict or any.
verdicts() { director_status "$1" --json | jq --arg name "${2:-}" '[.verdicts | to_entries[] | select($name == "" or .key == $name) | .value] | add'; }

# role NODE master|backup: where the VIP is.
role() {
  case $2 in
    master) is_master "$1" && has_no_vip_on_lo "$1" ;;
    backup) vrrp_state_is "$1" BACKUP && has_vip_on_lo "$1" && has_no_vip "$1" ;;
  esac
}

# Of all interfaces, by which the kernel would answer for an address on lo.
arp_ignore() { lab_exec "$1" cat /proc/sys/net/ipv4/conf/all/arp_ignore; }

arp_is_answered_once() {
  local answers
  answers=$(arp_answers 100)
  is "$(jq -c '[.once, .twice]' <<<"$answers")" "[100,0]"
}

both_serve() { # WHEN
  REST_TIMEOUT=1 check_within 8 "$1: both machines serve REST in turn" alternates_now
  check "$1: an FTP session of passive transfers stays on one machine" one_host 3 "$(ftp_session host host host)"
  check "$1: every ARP request is answered once" arp_is_answered_once
}

# Every packet that a director sees is counted there. Of 100 requests each packet may be seen by both, once.
no_packet_is_seen_more_than_twice() {
  local before after peer_before packets passed
  before=$(($(verdicts director-1) + $(verdicts director-2)))
  peer_before=$(verdicts "$2" passed_peer)
  rest_hosts 100 >/dev/null
  after=$(($(verdicts director-1) + $(verdicts director-2)))
  packets=$((after - before))
  passed=$(($(verdicts "$2" passed_peer) - peer_before))
  echo "      100 requests: $packets packets counted by both directors, $passed of them forwarded by $1 and passed by $2"
  [ "$packets" -lt 2500 ] && [ "$passed" -ge 200 ] && [ "$passed" -le 800 ]
}

deployment_up two-machines
hurry director-1
hurry director-2
director_start director-1
director_start director-2
check_within 10 "director-1 is MASTER, with the VIP on its interface" role director-1 master
check_within 5 "director-2 is BACKUP, with the VIP on lo" role director-2 backup
for node in director-1 director-2; do
  check_within 10 "$node sees all real servers up" all_real_servers_up "$node"
  check_within 5 "$node knows its peer's MAC address" peer_is_known "$node"
done
check "director-1 is its own real server" local_real_server_is director-1 192.168.100.244
check "director-2 is its own real server" local_real_server_is director-2 192.168.100.145
check "neither answers ARP requests for what is on lo" is "$(arp_ignore director-1) $(arp_ignore director-2)" "1 1"
both_serve "director-1 MASTER"
check "no packet goes to and fro" no_packet_is_seen_more_than_twice director-1 director-2
check "both machines were used" test "$(verdicts director-1 passed_local)" -gt 0

echo "      kill -9 of everything on director-1"
director_kill director-1
check_within 6 "director-2 takes over" role director-2 master
check "director-1's kernel still has the VIP" has_vip director-1
both_serve "director-1's xdirector dead"

director_start director-1
check_within 15 "director-1, started again, is MASTER again" role director-1 master
check_within 5 "director-2 has the VIP on lo" role director-2 backup
check_within 10 "director-1 sees all real servers up" all_real_servers_up director-1
both_serve "after the failback"

echo "      SIGTERM to director-1"
director_signal director-1 TERM
check_within 3 "it ends" lab_not_running director-1 unit
check "with the VIP on lo" has_vip_on_lo director-1
check "and on no interface" has_no_vip director-1
check_within 3 "director-2 takes over" role director-2 master
both_serve "director-1's xdirector stopped"
said=$(lab_exec director-1 "$XDIRECTOR" detach)
check "detach says that the machine is no real server any more" grep -q "$VIP is off lo" <<<"$said"
check "and it is not" has_no_vip_on_lo director-1
check "arp_ignore is as before" is "$(arp_ignore director-1)" 0

director_start director-1
check_within 15 "director-1, started again, is MASTER again" role director-1 master
check_within 10 "director-1 sees all real servers up" all_real_servers_up director-1
check_within 5 "director-2 has the VIP on lo" role director-2 backup
both_serve "started after detach"

echo "      director-1 loses its link"
lab_exec switch ip link set dev director-1 down
check_within 6 "director-2 takes over" role director-2 master
REST_TIMEOUT=1 check_within 8 "director-2 serves alone" one_host 4 "$(rest_hosts 4 | grep -v answer)"
check_within 10 "director-2 sees that director-1 is down" real_server_is director-2 rest 192.168.100.244 down
check "every request is answered, by director-2" is "$(rest_hosts 6 | sort | uniq -c | xargs)" "6 director-2"
check_within 5 "director-1 has the VIP on lo" has_vip_on_lo director-1
lab_exec switch ip link set dev director-1 up
check_within 15 "director-1 is MASTER again" role director-1 master
check_within 5 "director-2 has the VIP on lo" role director-2 backup
check_within 10 "director-1 sees all real servers up" all_real_servers_up director-1
both_serve "the link back"
check "no packet goes to and fro" no_packet_is_seen_more_than_twice director-1 director-2

echo "      director-1's vrrp worker hangs while the parent is stopped"
director_signal director-1 STOP "worker vrrp"
director_signal director-1 TERM
check_within 4 "it ends" lab_not_running director-1 unit
check "with the VIP on lo" has_vip_on_lo director-1
check "and on no interface" has_no_vip director-1
check_within 3 "director-2 takes over" role director-2 master
both_serve "director-1's vrrp worker killed"

echo "      director-1 comes back and is a director only"
set_config director-1 'del(.virtual_servers[].real_servers[0])'
director_start director-1
check_within 15 "director-1 is MASTER again" is_master director-1
check_within 5 "director-2 serves alone" one_host 4 "$(rest_hosts 4)"
check_within 3 "the VIP is not on director-1's lo any more" has_no_vip_on_lo director-1
director_signal director-1 TERM
check_within 3 "stopped" lab_not_running director-1 unit
check "it leaves the VIP nowhere" has_no_vip_on_lo director-1
finish
