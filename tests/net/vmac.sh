#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# use_vmac: the virtual address has the virtual router's MAC address, whichever director is MASTER.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

has_vmac_vip() { lab_exec "$1" ip -4 -o address show dev vrrp.100 | grep -F " $VIP/" >/dev/null; }
has_no_vmac_vip() { ! has_vmac_vip "$1"; }
has_no_macvlan() { ! lab_exec "$1" ip link show vrrp.100 >/dev/null 2>&1; }
client_knows() { lab_exec client ip neighbour show "$VIP" | grep -Fo 00:00:5e:00:01:64; }
answers() { REST_TIMEOUT=1 rest; }

deployment_up
for node in director-1 director-2; do
  hurry "$node"
  set_config "$node" '.vrrp_instances[0].use_vmac = true'
  director_start "$node"
done

check_within 12 "director-1 has the address on vrrp.100" has_vmac_vip director-1
check "and director-2 has not" has_no_vmac_vip director-2
check_within 10 "director-1 sees all real servers up" all_real_servers_up director-1
check_within 5 "the address answers" answers
check "with the virtual router's MAC address" client_knows

director_stop director-1
check_within 3 "director-1 stopped: director-2 has the address" has_vmac_vip director-2
check "director-1 has no macvlan left" has_no_macvlan director-1
check_within 5 "the address answers" answers
check "and the client knows the same MAC address" client_knows

director_start director-1
check_within 12 "director-1 back: it has the address" has_vmac_vip director-1
check_within 3 "and director-2 has not" has_no_vmac_vip director-2
check_within 5 "the address answers" answers
finish
