#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The network changes under a running director: a real server gets another MAC address, links go down, an interface is
# deleted and made anew.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

attached() { lab_exec "$1" ip -d link show dev enp1s0 | grep xdp >/dev/null; }
mac_is() { # NODE ADDRESS MAC: as the director NODE knows it
  director_status "$1" --json | jq -e --arg address "$2" --arg mac "$3" \
    '[.virtual_servers[].real_servers[] | select(.address == $address).mac] | all(. == $mac)'
}

reference_running

# A new network card: what the machine says of itself first is that it asks for others.
lab_exec real-2 ip link set dev eth0 address 02:00:00:00:00:99
lab_exec real-2 ip neighbour flush dev eth0
for address in 192.168.100.244 192.168.100.145; do
  lab_exec real-2 bash -c ": 2>/dev/null </dev/tcp/$address/9" 2>/dev/null || true
done
check_within 5 "real-2 has another MAC: director-1 knows it" mac_is director-1 192.168.100.35 02:00:00:00:00:99
check_within 5 "requests alternate" alternates_now
check_within 5 "director-2 knows it too" mac_is director-2 192.168.100.35 02:00:00:00:00:99

lab_exec director-1 ip link set dev enp1s0 down
check_within 6 "director-1's link is down: director-2 takes over" is_master director-2
check_within 5 "requests alternate" alternates_now
lab_exec director-1 ip link set dev enp1s0 up
check_within 10 "it is up again: director-1 is MASTER again" is_master director-1
check_within 5 "requests alternate" alternates_now

lab_exec director-1 ip link delete dev enp1s0
check_within 6 "director-1's interface is deleted: director-2 takes over" is_master director-2
lab_wire director-1 enp1s0 switch 192.168.100.244/24
check_within 10 "made anew, it has the program" attached director-1
check_within 15 "director-1 is MASTER again" is_master director-1
check_within 5 "and director-2 is not" has_no_vip director-2
check_within 5 "requests alternate" alternates_now
finish
