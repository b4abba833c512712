# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the network tests in a guest: hosts that are network namespaces and little more, for an emulator is slow at
# starting processes. The claims (check, check_within, finish ...) are those of tests/net.
#
# boot.sh runs such a test, with XDIRECTOR (the binary) and TEST_PASS (an XDP program that passes everything).
set -euo pipefail
guest_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${XDIRECTOR:?}" "${TEST_PASS:?}"
# shellcheck source=examples/lab/nodes.sh
. "$guest_tests/../../examples/lab/nodes.sh"
# shellcheck source=tests/support/claims.sh
. "$guest_tests/../support/claims.sh"
vip=10.0.100.111
state=/run/guest-test
daemon=

# hosts NAME...: without any interface but lo. They end with the guest.
hosts() {
  local name
  mkdir -p "$state"
  for name in "$@"; do
    ip netns add "$name"
    ip -n "$name" link set dev lo up
  done
}

on() { nsenter --net="/run/netns/$1" "${@:2}"; }

# wire HOST INTERFACE SWITCH PORT: neither end leaves checksums or VLAN tags to the other, and the switch's end has an
# XDP program, as veth wants it of whom a native one sends to.
wire() {
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
  on "$1" ethtool -K "$2" tx off txvlan off >/dev/null
  on "$3" ethtool -K "$4" tx off txvlan off >/dev/null
  ip -n "$3" link set dev "$4" xdpdrv obj "$TEST_PASS" sec xdp
  ip -n "$3" link set dev "$4" master br0 up
  ip -n "$1" link set dev "$2" up
}

# real_server HOST: tells its name to whoever connects to port 80.
real_server() {
  on "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  ip -n "$1" address add $vip/32 dev lo
  on "$1" busybox nc -ll -p 80 -e echo "$1" >/dev/null 2>&1 &
}

# answers N: who answers N connections of the client to the virtual address; one process for all.
answers() {
  # shellcheck disable=SC2016 # expanded there
  on client timeout 20 bash -c 'for i in $(seq "$2"); do
    name="(no answer)"
    { exec 3<>"/dev/tcp/$1/80" && read -t 5 -r name <&3 && exec 3>&-; } 2>/dev/null
    echo "$name"
  done' answers $vip "$1"
}

both_answer_in_turn() { [[ $(answers 4 | paste -sd' ') =~ ^(real-1 real-2 real-1 real-2|real-2 real-1 real-2 real-1)$ ]]; }

# configuration: a virtual server with two real servers, which are checked; jq's filter $1 is applied to it.
configuration() {
  jq -n --arg vip $vip '{interfaces: ["eth0"],
    virtual_servers: [{name: "web", address: $vip, port: 80, lb_algo: "wrr", lb_kind: "DR", delay_loop: 0.5,
      real_servers: [("10.0.100.34", "10.0.100.35") | {address: ., port: 80, checks: [{type: "tcp"}]}]}]} | '"$1" \
    >$state/xdirector.json
}

# director_start [OPTION...]
director_start() {
  nsenter --net=/run/netns/director "$XDIRECTOR" run --config $state/xdirector.json "$@" >$state/log 2>&1 &
  daemon=$!
}

director_stop() {
  kill "$daemon"
  wait "$daemon"
  on director "$XDIRECTOR" detach >/dev/null
}

status() { on director "$XDIRECTOR" status --json | jq -r "$1"; }
both_are_up() { [ "$(status '[.virtual_servers[].real_servers[].health] | unique | join(" ")')" = up ]; }
says() { grep -qF -- "$1" <<<"$("${@:2}")"; }

# run_is_refused WORDS [OPTION...]: with exit code 1, at once, and saying so.
run_is_refused() {
  local status=0 said
  said=$(on director timeout 30 "$XDIRECTOR" run --config $state/xdirector.json "${@:2}" 2>&1) || status=$?
  is "$status" 1 && { grep -qF -- "$1" <<<"$said" || is "$said" "... $1 ..."; }
}

at_end() { [ "$1" = 0 ] || tail -40 $state/log 2>/dev/null || true; }
claims_begin
