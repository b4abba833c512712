#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A director on a bond of two ports, one of which is cut off and put back; bonds that XDP cannot use; a bond's port.
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# bond MODE: bond0 of eth0 and eth1, with the director's addresses.
bond() {
  ip -n director link delete dev bond0 2>/dev/null || true
  ip -n director -batch - <<END
link add bond0 type bond mode $1 miimon 50
link set dev eth0 down
link set dev eth1 down
link set dev eth0 master bond0
link set dev eth1 master bond0
link set dev bond0 up
address add 10.0.100.1/24 dev bond0
address add $vip/32 dev bond0
END
}

network() {
  hosts switch director client real-1 real-2
  ip -n switch link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  ip -n switch link set dev br0 up
  wire director eth0 switch director-0
  wire director eth1 switch director-1
  wire client eth0 switch client
  wire real-1 eth0 switch real-1
  wire real-2 eth0 switch real-2
  ip -n client address add 10.0.100.31/24 dev eth0
  ip -n real-1 address add 10.0.100.34/24 dev eth0
  ip -n real-2 address add 10.0.100.35/24 dev eth0
  real_server real-1
  real_server real-2
}

active_is() { says "active_slave $1 " ip -n director -d link show dev bond0; }
mode() { status '.interfaces[0].mode'; }

network
bond active-backup

echo "      active-backup"
configuration '.interfaces = ["bond0"]'
director_start --xdp-mode native
check_within 30 "the real servers are reached" both_are_up
check "natively" is "$(mode)" native
check_within 10 "both answer the client in turn" both_answer_in_turn
check "eth0 is active" active_is eth0
ip -n switch link set dev director-0 down
check_within 10 "eth0 cut off, eth1 is active" active_is eth1
check_within 10 "both answer in turn" both_answer_in_turn
ip -n switch link set dev director-0 up
ip -n switch link set dev director-1 down
check_within 10 "eth1 cut off, eth0 is active again" active_is eth0
check_within 10 "both answer in turn" both_answer_in_turn
ip -n switch link set dev director-1 up
director_stop

echo "      a port of the bond"
configuration '.interfaces = ["eth0"]'
check "is refused" run_is_refused 'eth0 is a port of bond0, and this host sends and answers by bond0: name "bond0"'

echo "      balance-alb"
bond balance-alb
configuration '.interfaces = ["bond0"]'
refused="the bond bond0 is of a mode that has no native XDP: use the mode active-backup"
check "native mode is refused, with the fix" run_is_refused "$refused" --xdp-mode native
finish
