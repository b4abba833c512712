#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The conformance list of VRRP: one director with an instance for each row, and a peer that sends what the row says
# (vrrp_conformance.json). Then what else happens to a MASTER: a reload, floods, addresses removed, sending refused, a
# freeze, the carrier, the interface, a stop.
# shellcheck disable=SC2016 # what looks like it is jq's
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"
ROWS=$LAB_STATE/rows.json
HEARD=$LAB_STATE/peer/watch.log

# rows [JQ_OPTION...] FILTER: over the rows, with the functions of vrrp_conformance.jq.
rows() { jq -r -L "$net_dir" "${@:1:$#-1}" "include \"vrrp_conformance\"; ${!#}" "$ROWS"; }

# heard [JQ_OPTION...] FILTER: the same over all that the peer has heard, as one array; $rows[0] are the rows.
heard() {
  jq -s -r -L "$net_dir" --slurpfile rows "$ROWS" "${@:1:$#-1}" "include \"vrrp_conformance\"; ${!#}" "$HEARD"
}

# send SCENE SECONDS: what the peer sends in it.
send() {
  rows --arg scene "$1" --arg mac "$(director_mac)" 'wishes($scene; $mac)' |
    lab_exec peer "$TEST_SUPPORT/vrrp_peer" send eth0 --seconds "$2" >"$LAB_STATE/peer/$1.sent"
  scene_end=$(now)
}
director_mac() { lab_exec director-1 cat /sys/class/net/enp1s0/address; }

# The director's status, with the addresses of its interface.
status() {
  director_status director-1 --json | jq --argjson addresses \
    "$(lab_exec director-1 ip -j address show dev enp1s0 | jq '[.[].addr_info[].local]')" '. + {addresses: $addresses}'
}

# judge SCENE: a claim for each of its rows.
judge() {
  local row claim expected problem
  while IFS='|' read -r row claim expected problem; do
    check "row ${row:--}, $claim: $expected" is "$problem" ""
  done < <(status >"$LAB_STATE/status.json" && rows --arg scene "$1" --slurpfile heard "$HEARD" \
    --slurpfile sent "$LAB_STATE/peer/$1.sent" --slurpfile status "$LAB_STATE/status.json" \
    --argjson end "$scene_end" 'judge($scene; $heard | between(0; $end); $sent; $status[0])')
}

of_status() { director_status director-1 --json | jq -r "$1"; }
states() { of_status '[.vrrp_instances[].state] | unique | join(" ")'; }
all_are() { [ "$(states)" = "$1" ]; }
addresses_are() { [ "$(lab_exec director-1 ip -j -4 address show dev enp1s0 | jq '.[].addr_info | length - 1')" = "$1" ]; }
# Nothing is forwarded here, so the switch's end needs no XDP program, whose ring would not hold what all instances send
# when they take over at once.
wire_director() {
  LAB_MODE=plain lab_wire director-1 enp1s0 switch 10.99.0.5/16
  wired=$(now)
  enable_ipv6 director-1 enp1s0
}
has_link_local() { lab_exec "$1" ip -6 -o address show dev "$2" scope link -tentative | grep fe80; }
enable_ipv6() { # NODE INTERFACE: its link-local address without a wait for others to object
  lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 "net.ipv6.conf.$2.accept_dad=0" "net.ipv6.conf.$2.disable_ipv6=0"
  await 5 has_link_local "$1" "$2" || lab_die "$1 has no link-local address"
}
now() { echo "${EPOCHREALTIME/,/.}"; }

# on_schedule FROM TO: each instance's advertisements came within 5 % of their time.
on_schedule() {
  is "$(heard --argjson from "$1" --argjson to "$2" --argjson all "$INSTANCES" 'schedule_problem($from; $to; $all)')" ""
}

# flood RATE: for 2.2 s, in equal parts of four kinds that each cost the director another amount of work.
flood() {
  jq -n --argjson rate "$1" '[{vrid: 250}, {vrid: 1, checksum: "wrong"}, {vrid: 2, auth_pass: "yyyy"}, {vrid: 3, ttl: 64}]
      | map({priority: 200, addresses: ["10.99.1.1"], auth_pass: "xxxx", rate: ($rate / 4)} + .)' |
    lab_exec peer "$TEST_SUPPORT/vrrp_peer" send eth0 --seconds 2.2
}

# advertise WISH VRIDS: the peer does, for these virtual routers.
advertise() {
  rows --argjson vrids "$2" "map(select(.vrid == \$vrids[]) | {vrid, addresses, auth_pass: \"xxxx\"} + $1)" |
    lab_exec peer "$TEST_SUPPORT/vrrp_peer" send eth0
}

announced_since() { # TIME ADDRESS
  [ "$(heard --argjson t "$1" --arg ip "$2" 'map(select(.kind == "announcement" and .address == $ip and .t > $t)) | length')" -gt 0 ]
}
has_address() { lab_exec director-1 ip -4 -o address show dev enp1s0 | grep -F " $1/" >/dev/null; }
send_errors() { of_status '[.vrrp_instances[].send_errors] | min'; }
least_errors() { [ "$(send_errors)" -ge "$1" ]; }
leases_are_below() { of_status '.vrrp_instances[].virtual_addresses[].lease_seconds' | jq -es "max < $1" >/dev/null; }
# all_advertised FROM TO: each instance did, in this time.
all_advertised() {
  [ "$(heard --argjson from "$1" --argjson to "$2" \
    'between($from; $to) | map(select(.kind == "advert").vrid) | unique | length')" = "$INSTANCES" ]
}

# a_moment_from TIME: a retry or two later.
a_moment_from() { jq -n "$1 + 0.25"; }
transitions() { grep -c ' → ' "$LAB_STATE/director-1/unit.log"; }
answers() { lab_exec peer "$TEST_SUPPORT/arp_probe" eth0 "$1" --requests 20 | jq '.requests - .unanswered'; }

mkdir -p "$LAB_STATE"
jq -L "$net_dir" 'include "vrrp_conformance"; numbered' "$net_dir/vrrp_conformance.json" >"$ROWS"
lab_switch switch
lab_node director-1
wire_director
lab_node peer
lab_wire peer eth0 switch 10.99.0.2/16
enable_ipv6 peer eth0
rows '{vrrp_instances: instances}' >"$LAB_STATE/director-1/xdirector.json"
chmod 600 "$LAB_STATE/director-1/xdirector.json"
lab_spawn peer watch "$TEST_SUPPORT/vrrp_peer" watch eth0
await 5 test -s "$HEARD"

director_start director-1
check_within 5 "all are BACKUP, but for those of priority 255" all_are "BACKUP MASTER"
echo "      as BACKUP"
send backup 4.5
judge backup
echo "      as MASTER"
send master 1.6
judge master

INSTANCES=$(jq length "$ROWS")
check_within 5 "left alone, all are MASTER" all_are MASTER

set_config director-1 '.router_id = "another"'
start=$(now)
check "row 54: a reload" reload director-1
for rate in 1000 20000 100000; do
  from=$(now)
  flood $rate
  check "while $rate packets a second come that are no good, all advertise on schedule" on_schedule "$from" "$(now)"
done
check "and so they did at the reload" on_schedule "$start" "$from"
check "none of it changed a state" all_are MASTER

start=$(now)
lab_exec director-1 ip address delete 10.99.1.1/32 dev enp1s0
check_within 0.5 "row 50: an address removed by hand is put back" has_address 10.99.1.1
check_within 2 "and announced" announced_since "$start" 10.99.1.1

transitions=$(transitions)
worker=$(director_processes director-1 "worker vrrp")
lab_exec director-1 nft -f - <<'NFT'
table inet refuse {
  chain out {
    type filter hook output priority 0
    meta l4proto 112 drop
  }
}
NFT
check_within 3 "row 55: sending is refused: no lease is renewed" leases_are_below 1.9
start=$(now)
lab_exec director-1 nft delete table inet refuse
end=$(a_moment_from "$(now)")
check_within 2 "allowed again, all advertise at once" all_advertised "$start" "$end"
check_within 3 "each has tried again and again" least_errors 1
before=$(send_errors)
lab_exec director-1 tc qdisc replace dev enp1s0 root tbf rate 8bit burst 10 limit 1
check_within 3 "the same with a queue that is full" leases_are_below 1.9
start=$(now)
lab_exec director-1 tc qdisc delete dev enp1s0 root
end=$(a_moment_from "$(now)")
check_within 2 "no more full, all advertise at once" all_advertised "$start" "$end"
check_within 3 "each has tried again and again" least_errors $((before + 1))
check "none changed its state" is "$(transitions)" "$transitions"
check "nor the process" is "$(director_processes director-1 "worker vrrp")" "$worker"

lab_exec switch ip link set dev director-1 down
check_within 1 "row 48: without carrier, all are FAULT" all_are FAULT
check_within 1 "and no address is left" addresses_are 0
lab_exec director-1 ip link delete dev enp1s0
wire_director
check_within 1 "rows 49 and 51: with a new interface of the name, they are BACKUP" all_are "BACKUP MASTER"
advertise '{priority: 200, every_ms: 900, times: 6}' '[2]' >>"$LAB_STATE/peer/more.sent"
check "the one that hears a better MASTER stays so" vrrp_state_is director-1 BACKUP row_1_2
check "the others are MASTER after their time" is "$(heard --argjson t "$wired" \
  'takeover_problem($t; $rows[0] | map(select(.vrid != 2 and .instance.priority != 255 and (.v6 | not))))')" ""
check_within 5 "left alone, all are MASTER" all_are MASTER

echo "      all of the director stands still for 4 s; another router with priority 50 takes over"
director_signal director-1 STOP ""
advertise '{priority: 50, after_ms: 3700, times: 1}' '[3, 4, 5]' >>"$LAB_STATE/peer/more.sent" &
sleep 3.3
check "row 51: the fence is on the new interface: no ARP request is answered" is "$(answers 10.99.1.3)" 0
wait $!
frozen=$(director_processes director-1)
start=$(lab_exec director-1 bash -c 'date +%s.%N; kill -CONT $0' "$frozen")
check_within 2 "going on, all are MASTER" all_are MASTER
check "row 53: and said so to the other within 50 ms" is \
  "$(heard --argjson t "$start" 'reassert_problem($t; $rows[0] | map(select(.vrid == (3, 4, 5))))')" ""

TZ=UTC lab_spawn director-1 removals ip -ts -o monitor address
start=$(now)
check_within 3 "row 47: SIGTERM ends it" director_stop director-1
check "each instance resigned before its address went" is "$(heard --argjson t "$start" --slurpfile removals \
  <(jq -sR -L "$net_dir" 'include "vrrp_conformance"; removals' "$LAB_STATE/director-1/removals.log") \
  'resignation_problem($t; $removals[0]; $rows[0])')" ""
finish
