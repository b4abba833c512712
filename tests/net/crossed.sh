#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/crossed: each director is MASTER of one virtual address and backs the other up.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

has_vip_2() { lab_exec "$1" ip -4 -o address show dev enp1s0 | grep -F " $VIP_2/" >/dev/null; }
has_only() { # NODE 1|2
  if [ "$2" = 1 ]; then has_vip "$1" && ! has_vip_2 "$1"; else has_vip_2 "$1" && has_no_vip "$1"; fi
}
has_both() { has_vip "$1" && has_vip_2 "$1"; }
rest_2() { VIP=$VIP_2 rest; }
both_answer() { REST_TIMEOUT=1 rest && REST_TIMEOUT=1 rest_2; }
twice() { { VIP=$1 arp_answers 30; } | jq .twice; }

deployment_up crossed
for node in director-1 director-2; do
  hurry "$node"
  director_start "$node"
done

check_within 12 "director-1 has the first address" has_only director-1 1
check_within 12 "director-2 has the second" has_only director-2 2
check_within 10 "both see all real servers" all_real_servers_up director-1
check_within 5 "both addresses answer" both_answer

director_kill director-2
check_within 8 "director-2 killed: director-1 has both" has_both director-1
check_within 5 "both answer" both_answer
check "no ARP request for the second is answered twice" is "$(twice "$VIP_2")" 0
director_start director-2
check_within 12 "director-2 back: each has its own" has_only director-1 1
check_within 5 "also director-2" has_only director-2 2
check_within 5 "both answer" both_answer

director_stop director-1
check_within 2 "director-1 stopped: director-2 has both at once" has_both director-2
check_within 5 "both answer" both_answer
director_start director-1
check_within 12 "director-1 back: each has its own" has_only director-1 1
check_within 5 "also director-2" has_only director-2 2
check_within 5 "both answer" both_answer
finish
