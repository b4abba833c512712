#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A director with a foot in two networks: the client's, and one with another real server, which answers through a
# router of its own. Packets for it leave by the other interface.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

three_answer() { [ "$(rest_hosts 6 | sort -u | paste -sd' ')" = "real-1 real-2 real-3" ]; }
download() { background "$1" curl -sS --limit-rate 16M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"; }
transmitted() { lab_exec director-1 cat /sys/class/net/enp2s0/statistics/tx_packets; }

deployment_up
hurry director-1
lab_switch switch-2
lab_wire director-1 enp2s0 switch-2 10.2.0.1/24
deployment_host router eth0 192.168.100.1/24
lab_wire router eth1 switch-2 10.2.0.254/24
lab_node real-3
lab_wire real-3 eth0 switch-2 10.2.0.36/24
lab_exec real-3 ip route add default via 10.2.0.254
lab_exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0
lab_exec real-3 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
real_server_prepare real-3
rest_start real-3
set_config director-1 '(.virtual_servers[] | select(.name == "rest").real_servers) |=
  (. + [.[0] | .address = "10.2.0.36"])'

director_start director-1
check_within 10 "director-1 is MASTER" is_master director-1
check_within 10 "real-3 is up" real_server_is director-1 rest 10.2.0.36 up
check_within 10 "all three real servers answer" three_answer
before=$(transmitted)
check "in turn" is "$(rest_hosts 6 | sort | uniq -c | awk '{print $1}' | paste -sd' ')" "2 2 2"
[ "$LAB_MODE" = native ] || check "real-3's packets leave by enp2s0" test "$(transmitted)" -gt "$before"
download one
download two
download three
for name in one two three; do
  check "a long connection to each: download $name is complete" is "$(outcome "$name")" 67108864
done

echo "      enp2s0 gets the program as well"
set_config director-1 '.interfaces = ["enp2s0"]'
check "a reload" reload director-1
check "it is attached" is "$(director_status director-1 --json | jq -r '[.interfaces[].mode] | join(" ")')" \
  "$LAB_MODE $LAB_MODE"
check "all three real servers answer" three_answer

echo "      real-3's network is cut off"
lab_exec switch-2 ip link set dev director-1 down
check_within 10 "real-3 is taken out" real_server_is director-1 rest 10.2.0.36 down
check_within 5 "requests alternate between the others" alternates_now
check "director-1 is still MASTER" is_master director-1
lab_exec switch-2 ip link set dev director-1 up
check_within 10 "cut in again, real-3 is up" real_server_is director-1 rest 10.2.0.36 up
check_within 5 "all three real servers answer" three_answer

echo "      the interface to it is deleted and made anew"
lab_exec director-1 ip link delete dev enp2s0
check_within 10 "real-3 is taken out" real_server_is director-1 rest 10.2.0.36 down
lab_wire director-1 enp2s0 switch-2 10.2.0.1/24
check_within 10 "real-3 is up again" real_server_is director-1 rest 10.2.0.36 up
check_within 10 "all three real servers answer" three_answer
finish
