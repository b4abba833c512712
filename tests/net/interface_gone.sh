#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The MASTER's interface gets another MAC address, and nobody notices. It loses its carrier, is set down, is deleted and
# made anew with another index and MAC, and is replaced under the same index within a moment: each time it is a failover
# and back, and everything follows the interface.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

link_file() { lab_exec director-1 cat "/sys/class/net/enp1s0/$1"; }
pinned_links() { lab_exec director-1 ls /sys/fs/bpf/xdirector | grep '^link_' | paste -sd' '; }
no_pinned_links() { [ -z "$(pinned_links)" ]; }
attached() { lab_exec director-1 ip -d link show dev enp1s0 | grep 'prog/xdp' >/dev/null; }
sysctls() { lab_exec director-1 cat /proc/sys/net/ipv4/conf/enp1s0/arp_{ignore,announce} | paste -sd' '; }
dump() { lab_exec director-1 bpftool -j map dump pinned "/sys/fs/bpf/xdirector/$1" | jq -c '.[].formatted.value'; }
forwarded() { director_status director-1 --json | jq '.verdicts | .forwarded + .scheduled + .persisted'; }

fails_over() {
  check_within 3 "director-1 is in FAULT" vrrp_state_is director-1 FAULT
  check_within 8 "director-2 takes over" is_master director-2
  REST_TIMEOUT=1 check_within 5 "requests are answered" rest
}

# Everything that knows the interface by its index or its MAC.
follows() {
  local index before
  index=$(link_file ifindex)
  check_within 15 "it is MASTER again" is_master director-1
  check_within 5 "director-2 has given way" has_no_vip director-2
  check "the program is on it" attached
  check "held by one pinned link" is "$(pinned_links)" "link_$index"
  check "the map of interfaces has its index" grep -q "\"ifindex\":${index}[,}]" <<<"$(dump interfaces)"
  check "and no other" is "$(dump interfaces | grep -o '"ifindex":[0-9]*' | sort -u | paste -sd' ')" \
    "\"ifindex\":0 \"ifindex\":$index"
  check "the lease has its index" grep -q "\"ifindex\":${index}[,}]" <<<"$(dump leases)"
  check "arp_ignore and arp_announce are held" is "$(sysctls)" "1 2"
  check_within 10 "all real servers are up" all_real_servers_up director-1
  before=$(forwarded)
  REST_TIMEOUT=1 check_within 5 "requests alternate" alternates_now
  check "forwarded by the program" test "$(forwarded)" -gt "$before"
  check "and FTP works" one_host 2 "$(ftp_session host host)"
}

client_knows() { lab_exec client ip neighbour show to "$VIP" | grep -F " $1 " >/dev/null; }

reference_running
watch_vip director-1
watch_vip director-2

echo "      its MAC address changes"
check "requests are answered" rest
lab_exec director-1 ip link set dev enp1s0 address 02:00:00:00:77:44
check_within 1 "the network is told at once" client_knows 02:00:00:00:77:44
check_within 1 "requests alternate" alternates_now
check "the VIP stayed" vip_was_left_alone director-1

echo "      the link goes down at the switch"
lab_exec switch ip link set dev director-1 down
fails_over
check "director-1 has given the VIP up" has_no_vip director-1
lab_exec switch ip link set dev director-1 up
follows

echo "      the interface is set down by hand"
lab_exec director-1 ip link set dev enp1s0 down
fails_over
lab_exec director-1 ip link set dev enp1s0 up
follows

echo "      the interface is deleted"
lab_exec director-1 ip link delete dev enp1s0
fails_over
check_within 3 "nothing of it stays pinned" no_pinned_links
echo "      and made anew; its address comes after it is up"
lab_wire director-1 enp1s0 switch
lab_exec director-1 ip address add 192.168.100.244/24 dev enp1s0
follows

echo "      the interface is replaced within a moment, under the same index"
ip -netns "$LAB-director-1" -batch - <<BATCH
link delete dev enp1s0
link add name enp1s0 index $(link_file ifindex) type veth peer name director-1 netns $LAB-switch
BATCH
lab_plug director-1 enp1s0 switch director-1 192.168.100.244/24
follows
finish
