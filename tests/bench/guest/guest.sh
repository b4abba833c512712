#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In the guest: raises a director with a cable to a client, once per kind of director, and measures the rows.
# Prints "ROW|director|row|floor|aim|INSTRUCTIONS"; run.sh makes the table of it.
#
# One-armed: frames come in by d0 and go out by d0, which is how direct routing is used. Permanent neighbours all round.
# Environment: XDIRECTOR, GUEST_BENCH (binaries), GUEST_ONLY (regular expression), GUEST_PACKETS.
set -euo pipefail
: "${XDIRECTOR:?}" "${GUEST_BENCH:?}"
vip=10.200.1.1 vip6=fd00:200::1:1 director='' daemon=
state=/run/guest-bench

on_director() { ip netns exec director "$@"; }

# cable on|off: without GRO or an XDP program veth does not poll, and every frame would be an interrupt.
cable() {
  local i
  ip -n client link delete dev c0 2>/dev/null || true
  ip link add c0 netns client address 02:00:00:00:00:02 numrxqueues 1 numtxqueues 1 type veth \
    peer name d0 netns director address 02:00:00:00:00:01 numrxqueues 1 numtxqueues 1
  on_director ethtool -K d0 gro "$1"
  ip -n client link set dev c0 up
  ip -n director link set dev d0 up
  ip -n director address add 10.254.0.1/8 dev d0 # the clients' network and the real servers'
  on_director sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.d0.rp_filter=0 \
    net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.d0.send_redirects=0 net.ipv6.conf.all.forwarding=1
  ip -n director neighbour add $vip lladdr 02:00:00:00:01:01 dev d0 nud permanent # for who only forwards
  ip -n director address add fd00:200::254/64 dev d0 nodad
  for i in 1 2 3 4; do
    ip -n director neighbour add 10.200.2.$i lladdr 02:00:00:00:02:0$i dev d0 nud permanent
    ip -n director neighbour add fd00:200::2:$i lladdr 02:00:00:00:02:0$i dev d0 nud permanent
  done
}

# --- the directors -----------------------------------------------------------------------------------------------------

configuration() {
  jq -n --arg vip $vip --arg vip6 $vip6 '
    def reals($base): [range(1; 5) | {address: "\($base)\(.)", port: 80, weight: .}];
    def service: {lb_algo: "wrr", lb_kind: "DR"} + .
      | .real_servers = reals(if .address == $vip6 then "fd00:200::2:" else "10.200.2." end)
      | if .port then .real_servers[].port = .port else . end;
    {interfaces: ["d0"],
     port_marks: [{mark: 1, address: $vip, ports: "8000-8999"}, {mark: 2, address: $vip, ports: "9000-9999"}],
     virtual_servers: [
       {address: ($vip, $vip6), port: 80}, {address: ($vip, $vip6), port: 80, protocol: "UDP"},
       {address: ($vip, $vip6), port: 81, persistence_timeout: 300}, {fwmark: 1}, {fwmark: 2, persistence_timeout: 300}
     ] | map(service)}'
}

xdirector_is_ready() { "$XDIRECTOR" status --json 2>/dev/null | jq -e '.interfaces | length > 0' >/dev/null; }

xdirector_start() {
  configuration >$state/xdirector.json
  nsenter --net=/run/netns/director "$XDIRECTOR" run --config $state/xdirector.json --xdp-mode "$1" >$state/log 2>&1 &
  daemon=$!
  until xdirector_is_ready; do
    kill -0 $daemon 2>/dev/null || { cat $state/log >&2; return 1; }
    sleep 0.1
  done
}

xdirector_stop() {
  kill $daemon
  wait $daemon
  nsenter --net=/run/netns/director "$XDIRECTOR" detach >/dev/null
}

# ipvs_service "WHERE OPTION..." NETWORK: with four real servers of that network.
ipvs_service() {
  local i where=${1%% -p*}
  # shellcheck disable=SC2086 # words
  on_director ipvsadm -A $1 -s wrr
  # shellcheck disable=SC2086
  for i in 1 2 3 4; do on_director ipvsadm -a $where -r "${2/N/$i}" -g -w $i; done
}

ipvs_start() {
  ip -n director address add $vip/32 dev lo
  ip -n director address add $vip6/128 dev lo nodad
  ipvs_service "-t $vip:80" 10.200.2.N
  ipvs_service "-t $vip:81 -p 300" 10.200.2.N
  ipvs_service "-u $vip:80" 10.200.2.N
  ipvs_service "-t [$vip6]:80" "[fd00:200::2:N]:80"
}

ipvs_stop() {
  on_director ipvsadm -C
  ip -n director address del $vip/32 dev lo
  ip -n director address del $vip6/128 dev lo
}

start() {
  case $1 in
    'xdirector native' | floor) cable off ;;
    *) cable on ;;
  esac
  case $1 in
    xdirector*) xdirector_start "${1#xdirector }" ;;
    IPVS*) ipvs_start ;;
  esac
}

stop() {
  case $1 in
    xdirector*) xdirector_stop ;;
    IPVS*) ipvs_stop ;;
  esac
}

# --- the rows ----------------------------------------------------------------------------------------------------------

# row DIRECTOR NAME FLOOR AIM ARGUMENT...: the arguments are guest_bench's.
row() {
  local cost
  [ -z "$3" ] || [[ "$1, $2" =~ ${GUEST_ONLY:-} ]] || return 0
  if [ "$director" != "$1" ]; then
    stop "$director"
    director=$1
    start "$1"
  fi
  [[ $1 != xdirector* ]] || set -- "$@" --verdicts /sys/fs/bpf/xdirector/counters
  cost=$("$GUEST_BENCH" "${@:5}" --packets "${GUEST_PACKETS:-10000}")
  echo "ROW|$1|$2|$3|$4|$cost"
}

mkdir -p $state
modprobe ip_vs conn_tab_bits=20 # as many buckets as xdirector has slots
modprobe -a veth ip_vs_wrr sch_ingress cls_bpf
for space in client director; do
  ip netns add $space
  ip -n $space link set dev lo up
done
ip netns exec client sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 # it is silent

row floor 'drop, native XDP' '' '' established --xdp drop
row floor 'swap MAC addresses, native XDP' 'drop, native XDP' '' established --xdp swap
row floor 'stateless: service, ring, 2 counters' 'drop, native XDP' '' established --xdp stateless
row floor 'pass, then drop at tc ingress' '' '' established --xdp pass --tc-drop
row 'generic floor' 'drop, generic XDP' '' '' established --xdp drop --generic
row 'generic floor' 'swap MAC addresses, generic XDP' 'drop, generic XDP' '' established --xdp swap --generic --sink tc
row kernel 'drop at tc ingress' '' '' established --tc-drop --sink tc
row kernel 'ip_forward' 'drop at tc ingress' '' established --sink tc

native='drop, native XDP' generic='drop, generic XDP' skb='drop at tc ingress' passed='pass, then drop at tc ingress'
row 'xdirector native' 'established' "$native" 550 established
row 'xdirector native' 'established, persistent service' "$native" 550 established-persistent
row 'xdirector native' 'established UDP' "$native" 550 established-udp
row 'xdirector native' 'new' "$native" 1000 new
row 'xdirector native' 'new UDP' "$native" 1000 new-udp
row 'xdirector native' 'new, by mark' "$native" '' new-mark
row 'xdirector native' 'new, persistent, new client' "$native" 1700 new-client
row 'xdirector native' 'new, persistent, known client' "$native" 1700 new-known-client
row 'xdirector native' 'new, persistent by mark, known client' "$native" '' new-known-client-mark
row 'xdirector native' 'established, to a VRRP MAC address' "$native" '' established --virtual-mac
row 'xdirector native' 'not a virtual server' "$passed" '' no-service --tc-drop
row 'xdirector native' 'IPv6, established' "$native" '' established --ipv6
row 'xdirector native' 'IPv6, established UDP' "$native" '' established-udp --ipv6
row 'xdirector native' 'IPv6, new' "$native" '' new --ipv6
row 'xdirector native' 'IPv6, new, persistent, new client' "$native" '' new-client --ipv6
row 'xdirector native' 'IPv6, new, persistent, known client' "$native" '' new-known-client --ipv6
row 'xdirector generic' 'established' "$generic" 1800 established --sink tc
row 'xdirector generic' 'new' "$generic" '' new --sink tc
row 'xdirector generic' 'IPv6, established' "$generic" '' established --sink tc --ipv6
row 'IPVS DR wrr' 'established' "$skb" '' established --sink tc
row 'IPVS DR wrr' 'established, persistent service' "$skb" '' established-persistent --sink tc
row 'IPVS DR wrr' 'established UDP' "$skb" '' established-udp --sink tc
row 'IPVS DR wrr' 'new' "$skb" '' new --sink tc
row 'IPVS DR wrr' 'new, persistent, new client' "$skb" '' new-client --sink tc
row 'IPVS DR wrr' 'new, persistent, known client' "$skb" '' new-known-client --sink tc
row 'IPVS DR wrr' 'IPv6, established' "$skb" '' established --sink tc --ipv6
row 'IPVS DR wrr' 'IPv6, new' "$skb" '' new --sink tc --ipv6
stop "$director"
