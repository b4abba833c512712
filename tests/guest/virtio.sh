#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A director in a virtual machine: its interface is a virtio one, as in the reference deployment. Guest with two of them on
# one cable; the other one is the switch's.
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# nic MAC HOST NAME: gives HOST the virtio interface.
nic() {
  local name
  name=$(ip -o link | sed -nE "s|^[0-9]+: ([^:]+):.*link/ether $1 .*|\1|p")
  ip link set dev "$name" netns "$2" name "$3"
  ip -n "$2" link set dev "$3" up
}

modprobe virtio_net
hosts switch director client real-1 real-2
ip -n switch link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip -n switch link set dev br0 up
nic 02:00:00:00:01:01 director eth0
nic 02:00:00:00:01:02 switch director
ip -n switch link set dev director master br0
wire client eth0 switch client
wire real-1 eth0 switch real-1
wire real-2 eth0 switch real-2
ip -n director address add 10.0.100.1/24 dev eth0
ip -n director address add $vip/32 dev eth0
ip -n client address add 10.0.100.31/24 dev eth0
ip -n real-1 address add 10.0.100.34/24 dev eth0
ip -n real-2 address add 10.0.100.35/24 dev eth0
real_server real-1
real_server real-2

configuration .
director_start --xdp-mode native
check_within 30 "the real servers are reached" both_are_up
check "natively" is "$(status '.interfaces[0].mode')" native
queues="eth0 has 1 pairs of queues and uses 1; for 2 CPUs native XDP sends without locks from 3 on"
check "with a word about queues" says "$queues" status '.interfaces[0].warnings[]'
check_within 10 "both answer the client in turn" both_answer_in_turn
finish
