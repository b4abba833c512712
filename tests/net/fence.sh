#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A dead director goes silent: kill -9 of everything, and its kernel, which still has the virtual addresses, is not heard
# any more, whether it is asked or speaks of its own accord; by IPv4 and IPv6, also where the switch floods. And what a
# living one says of its fence, and of VRRP that a firewall keeps from it.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
[ -e /proc/net/if_inet6 ] || skip "this kernel has no IPv6"
command -v nft >/dev/null || skip "nft is not installed"
VIP6=fd00:100::111
VIRTUAL_MAC=00:00:5e:00:01:64

filter() { lab_exec director-1 tc filter show dev enp1s0 egress; }
is_filtered() { [ "$(filter | grep -c 'handle 0x7864 egress_fence')" = 1 ]; }
is_not_filtered() { [ -z "$(filter)" ]; }
fence_is() { director_status director-1 --json | jq -e --arg state "$1" '.fence.state == $state' >/dev/null; }
problem_is() { director_status director-2 --json | jq -e --arg kind "$1" '[.vrrp_instances[0].problems[].kind] | index($kind)' >/dev/null; }
no_problem() { ! problem_is "$1"; }
claims_dropped() {
  lab_exec director-1 bpftool -j map dump pinned /sys/fs/bpf/xdirector/counters |
    jq '[.[].formatted.values[].value.dropped_claim] | add'
}
claims_exceed() { [ "$(claims_dropped)" -gt "$1" ]; }
never_learned() { ! lab_exec switch bridge fdb show br br0 | grep -F "$VIRTUAL_MAC"; }
mac_of() { lab_exec "$1" cat /sys/class/net/enp1s0/address; }
ipv6_address() {
  lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 "net.ipv6.conf.$2.disable_ipv6=0"
  lab_exec "$1" ip address add "$3" dev "$2" nodad "${@:4}"
}

# The dead node's kernel has something to send from each virtual address, and its neighbour's MAC is not known to it;
# then its interface goes down and up, and every address is announced (arp_notify, ndisc_notify).
speaks() {
  lab_exec director-1 ip neigh flush dev enp1s0
  for url in "--interface $VIP http://192.168.100.31" "--interface $VIP6 http://[fd00:100::31]"; do
    # shellcheck disable=SC2086 # two words
    lab_exec director-1 curl -s --max-time 1.2 $url/ || true
  done
  lab_exec director-1 ip link set dev enp1s0 down
  lab_exec director-1 ip link set dev enp1s0 up
  lab_exec director-1 ip address replace "$VIP6/64" dev enp1s0 nodad # IPv6 addresses go with the link
}

# What the client believes of either address, from now on.
watch_cache() { lab_spawn client cache ip -o monitor neigh; }
never_believed() {
  lab_stop client cache
  ! grep -F "$(mac_of director-1)" "$LAB_STATE/client/cache.log" | grep -E "$VIP|$VIP6 "
}

only_one_answers() {
  local answers
  answers=$(arp_answers 200)
  echo "      $answers"
  check "no ARP request is answered twice, $1" is "$(jq .twice <<<"$answers")" 0
  check "and every one once" is "$(jq .once <<<"$answers")" 200
  answers=$(lab_exec client "$TEST_SUPPORT/arp_probe" eth0 "$VIP6" --requests 100)
  echo "      $answers"
  check "nor is a neighbour solicitation, $1" is "$(jq .twice <<<"$answers")" 0
  check "and every one once" is "$(jq .once <<<"$answers")" 100
}

says_nothing() {
  local before
  before=$(claims_dropped)
  rest >/dev/null # the client knows the MASTER
  watch_cache
  speaks
  check "the client never believes the dead node, $1" never_believed
  check "whose claims were held back" test "$(claims_dropped)" -gt "$before"
  check_within 3 "requests are answered" rest
}

reference_running

echo "      a firewall keeps VRRP from director-2"
lab_exec director-2 nft -f - <<'NFT'
table inet test {
  chain input {
    type filter hook input priority 0
    ip protocol 112 drop
  }
}
NFT
check_within 10 "its status tells" problem_is not_received
check "with the peer and the remedy" grep -qF "advertisements from 192.168.100.244 arrive on enp1s0 but do not reach" \
  <<<"$(director_status director-2)"
lab_exec director-2 nft delete table inet test
check_within 10 "and that it is over" no_problem not_received
check_within 10 "director-1 is MASTER" is_master director-1
check_within 5 "alone" has_no_vip director-2

echo "      the fence"
check "the filter is at director-1's exit" is_filtered
check "the fence is complete, says status" fence_is complete
lab_exec director-1 tc qdisc delete dev enp1s0 clsact
check_within 5 "taken off by hand, it is put back" is_filtered

# Until instances of IPv6 are in the reference deployment: an address on both, with a lease that has run out on one.
ipv6_address client eth0 fd00:100::31/64
ipv6_address director-1 enp1s0 "$VIP6/64"
ipv6_address director-2 enp1s0 "$VIP6/64"
lab_exec director-1 bpftool map update pinned /sys/fs/bpf/xdirector/leases key hex ff 00 00 00 value hex \
  fd 00 01 00 00 00 00 00 00 00 00 00 00 00 01 11 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
lab_exec director-1 sysctl -qw net.ipv4.conf.enp1s0.arp_notify=1 net.ipv6.conf.enp1s0.ndisc_notify=1

echo "      director-1 is killed for good"
director_kill director-1
check_within 6 "director-2 takes over" has_vip director-2
check "director-1's kernel still has the VIP" has_vip director-1
check "and the filter" is_filtered
only_one_answers "after kill -9 of everything"
says_nothing "though it speaks"

echo "      the dead node has the address on a macvlan with the virtual router's MAC address, as by use_vmac"
before=$(claims_dropped)
lab_exec director-1 ip link add vrrp.100 link enp1s0 address "$VIRTUAL_MAC" type macvlan mode private
lab_exec director-1 sysctl -qw net.ipv6.conf.vrrp/100.disable_ipv6=0 net.ipv4.conf.vrrp/100.arp_notify=1
lab_exec director-1 ip address delete "$VIP/32" dev enp1s0
lab_exec director-1 ip address add "$VIP/32" dev vrrp.100
lab_exec director-1 ip link set dev vrrp.100 up # announces the address, and asks who else has the link-local one
check_within 3 "what it says is held back" claims_exceed $((before + 1))
only_one_answers "with a macvlan"
check "and the switch does not look for that MAC address there" never_learned

echo "      the switch floods"
lab_exec switch ip link set dev br0 type bridge ageing_time 0
only_one_answers "with a flooding switch"
says_nothing "with a flooding switch"

echo "      taken off"
check "detach succeeds" lab_exec director-1 "$XDIRECTOR" detach
check "and took the filter off" is_not_filtered
finish
