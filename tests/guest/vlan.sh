#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A director on a trunk: the client, the virtual address and the real servers are in VLAN 100, of which its interface gets
# tagged frames. One real server's port is untagged, the other's carries tags to a VLAN sub-interface of its own.
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

network() {
  hosts switch director client real-1 real-2
  ip -n switch link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0 stp_state 0 forward_delay 0 mcast_snooping 0
  ip -n switch link set dev br0 up
  wire director eth0 switch director
  wire client eth0 switch client
  wire real-1 eth0 switch real-1
  wire real-2 eth0 switch real-2
  on switch bridge -batch - <<'END'
vlan add dev director vid 100
vlan add dev director vid 200
vlan add dev client vid 100 pvid untagged
vlan add dev real-1 vid 100 pvid untagged
vlan add dev real-2 vid 100
END
  ip -n director -batch - <<END
link add eth0.100 link eth0 type vlan id 100
link add eth0.200 link eth0 type vlan id 200
link set dev eth0.100 up
link set dev eth0.200 up
address add 10.0.100.1/24 dev eth0.100
address add $vip/32 dev eth0.100
address add 10.0.200.1/24 dev eth0.200
END
  ip -n client address add 10.0.100.31/24 dev eth0
  ip -n real-1 address add 10.0.100.34/24 dev eth0
  ip -n real-2 link add eth0.100 link eth0 type vlan id 100
  ip -n real-2 link set dev eth0.100 up
  ip -n real-2 address add 10.0.100.35/24 dev eth0.100
  real_server real-1
  real_server real-2
}

mode_of() { status ".interfaces[] | select(.name == \"$1\").mode"; }

parent_carries() { [ "$(mode_of eth0)" = native ] && [ "$(status '.interfaces[0].carrier')" = eth0 ]; }
# shellcheck disable=SC2010 # names of our own
programs() { ls /sys/fs/bpf/xdirector | grep -c '^link_'; }

network

echo "      the program on the parent"
configuration '.interfaces = ["eth0", "eth0.100"]'
stripped="eth0 takes VLAN tags off before the program sees a frame, and eth0.100 stands on them: ethtool -K eth0 rxvlan off"
check "where the driver takes tags off it is refused" run_is_refused "$stripped"
on director ethtool -K eth0 rxvlan off
director_start --xdp-mode native
check_within 30 "real servers are reached over the VLAN sub-interface" both_are_up
check "eth0 has the program, natively" is "$(mode_of eth0)" native
check "and carries eth0.100" is "$(status '.interfaces[] | select(.name == "eth0.100").carrier')" eth0
check_within 10 "both answer the client in turn" both_answer_in_turn
director_stop

echo "      the program on the VLAN sub-interface"
configuration '.interfaces = ["eth0.100"]'
refused="eth0.100 is a VLAN sub-interface, which has no native XDP: add its parent"
check "native mode is refused, with the fix" run_is_refused "$refused" --xdp-mode native
director_start
check_within 30 "without a mode it starts" both_are_up
check "in generic mode" is "$(mode_of eth0.100)" generic
check_within 10 "both answer the client in turn" both_answer_in_turn
configuration '.interfaces = ["eth0.100", "eth0"]'
kill -HUP "$daemon"
check_within 20 "its parent takes over at a reload, natively" parent_carries
check "and it has no program of its own any more" is "$(programs)" 1
check_within 10 "both answer the client in turn" both_answer_in_turn
director_stop

echo "      a real server in another VLAN"
# shellcheck disable=SC2016 # jq's $vip
configuration '.interfaces = ["eth0"] | .virtual_servers[0].real_servers[1].address = "10.0.200.35"
  | .vrrp_instances = [{name: "VI_1", interface: "eth0.100", virtual_router_id: 1, virtual_ipaddress: [$vip]}]'
other='real server 10.0.200.35 of "web" is reached by eth0.200, but packets for 10.0.100.111 come by eth0.100'
check "is refused" run_is_refused "$other"
finish
