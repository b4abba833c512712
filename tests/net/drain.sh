#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What leaves by a reload drains: a weight of 0, a removed real server, a removed virtual server; each with a download
# under way. A slot is given to another only when its last connection has ended.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

full=$LAB_STATE/full.json
# rest_service JQ_FILTER: the REST service changed by it; all else is as in the beginning.
rest_service() {
  install -m 600 "$full" "$LAB_STATE/director-1/xdirector.json"
  set_config director-1 "(.virtual_servers[] | select(.name == \"rest\")) |= ($1)"
  reload director-1
}
download() { background "$1" curl -sS --limit-rate "$2" -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"; }
complete() { is "$(outcome "$1")" 67108864; }
only_real_1() { [ "$(rest_hosts 6 | sort -u)" = real-1 ]; }
draining() { director_status director-1 --json | jq -r '.draining[] | "\(.address):\(.port)"' | sort | paste -sd' '; }
draining_is() { [ "$(draining)" = "$1" ]; }
slots() { # ADDRESS: the slots in use for ADDRESS:9826
  lab_exec director-1 bpftool -j map dump pinned /sys/fs/bpf/xdirector/real_servers |
    jq -r --argjson address "$(address_number "$1")" --argjson port "$(((REST_PORT & 255) << 8 | REST_PORT >> 8))" \
      '.[].formatted | select([.value | .. | objects | select(.address?.word?[3]? == $address and .port? == $port)] != []) | .key' |
    paste -sd' '
}
address_number() { # as the maps have it: network order in a little-endian word
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $((d << 24 | c << 16 | b << 8 | a))
}

reference_running --keep-forwarding
set_config director-1 '.lvs_timeouts = {tcpfin: 1}'
check "ended connections are forgotten soon" reload director-1
cp "$LAB_STATE/director-1/xdirector.json" "$full"

echo "      weight 0"
download one 16M
download two 16M # each real server has one of them
await 5 client_connections_reach 2
check "real-2 gets weight 0" rest_service '.real_servers[1].weight = 0'
check "new requests go to real-1 only" only_real_1
check "the downloads of both are complete" complete one
check "(both)" complete two
check "real-2 gets its weight back" rest_service .
check "requests alternate" alternates_now

echo "      the virtual server is removed"
download one 16M
await 5 client_connections_reach 1
check "the REST service is removed" rest_service empty
check "new requests go by FTP's mark, in whose range the port is" one_host 6 "$(rest_hosts 6)"
check "the download is complete" complete one
check "it is added again" rest_service .
check_within 3 "requests alternate" alternates_now

echo "      a real server is removed, and others come"
check_within 15 "nothing drains" draining_is ""
download one 20M
download two 20M
await 5 client_connections_reach 2
slot=$(slots 192.168.100.35)
check "real-2 has one slot ($slot)" [ -n "$slot" ]
check "real-2 is removed, a stranger comes" rest_service '.real_servers |= [.[0], (.[0] | .address = "192.168.100.77")]'
check "real-2 drains" draining_is "192.168.100.35:$REST_PORT"
check "in its slot" is "$(slots 192.168.100.35)" "$slot"
check "which is not the stranger's" test "$(slots 192.168.100.77)" != "$slot"
check "the downloads of both are complete" complete one
check "(both)" complete two
check_within 20 "then real-2 drains no longer" draining_is ""
check "and has no slot" is "$(slots 192.168.100.35)" ""
check "another stranger comes" rest_service '.real_servers |= [.[0], (.[0] | .address = "192.168.100.78")]'
check "and gets the slot" is "$(slots 192.168.100.78)" "$slot"
check "real-2 comes back" rest_service .
check_within 5 "requests alternate" alternates_now

echo "      an interface is added, and removed"
attached() { lab_exec director-1 ip -d link show dev enp2s0 | grep 'prog/xdp' >/dev/null; }
not_attached() { ! attached; }
lab_wire director-1 enp2s0 switch
set_config director-1 '.interfaces = ["enp2s0"]'
check "a second interface is taken" reload director-1
check_within 3 "the program is on it" attached
set_config director-1 'del(.interfaces)'
check "and given up again" reload director-1
check_within 3 "the program is off" not_attached

echo "      another size of the connection table"
set_config director-1 '.connection_slots = 65536'
check "the reload is taken" reload director-1
check "with a warning" grep -q 'tables get another size when xdirector is started' "$LAB_STATE/director-1/unit.log"
check "requests alternate" alternates_now
check "director-1 stops, its table stays" director_stop director-1
director_start director-1
check_within 10 "started again, it is MASTER" is_master director-1
check "with a new table" grep -q 'tables: 65536 connections of IPv4' "$LAB_STATE/director-1/unit.log"
check "and the connections that were in the old one" \
  grep -Eq 'carried over [1-9][0-9]* connections' "$LAB_STATE/director-1/unit.log"
check_within 5 "requests alternate" alternates_now
finish
