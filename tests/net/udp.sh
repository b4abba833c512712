#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# UDP virtual servers: flows alternate, a flow stays, a persistent service keeps its client, a real server that fails
# hands its flows over.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
PLAIN=5300 PERSISTENT=5301

ask() { lab_exec client "$TEST_SUPPORT/udp_name" ask "$VIP" "$@"; }
answers() { # PORT N: of N flows, one line each
  local _
  for _ in $(seq "$2"); do ask "$1" || echo "(no answer)"; done
}
flows_alternate() { alternates "$(answers "$PLAIN" 6)"; }
verdict() { director_status director-1 --json | jq ".verdicts.$1"; }

deployment_up
hurry director-1
for node in real-1 real-2; do
  for port in "$PLAIN" "$PERSISTENT"; do
    lab_spawn "$node" "udp-$port" "$TEST_SUPPORT/udp_name" serve "$VIP" "$port" "$node"
  done
done
# shellcheck disable=SC2016 # jq's, not the shell's
# Their checks are REST's: UDP has none of its own.
set_config director-1 '.virtual_servers += [{port: '$PLAIN'}, {port: '$PERSISTENT', persistence_timeout: 60}
  | . + {name: "udp-\(.port)", address: "'$VIP'", protocol: "UDP", lb_algo: "wrr", lb_kind: "DR", delay_loop: 0.5,
    real_servers: [("192.168.100.34", "192.168.100.35") as $address | {address: $address, port, weight: 1,
      checks: [{type: "tcp", connect_timeout: 1, retry: 1, delay_before_retry: 0.2, connect_port: '$REST_PORT'}]}]}]'
director_start director-1
check_within 10 "director-1 is MASTER" is_master director-1
check_within 5 "flows alternate" flows_alternate
check "a flow stays with its real server" one_host 20 "$(ask $PLAIN --count 20)"
before=$(verdict persisted)
check "a persistent service keeps its client" one_host 10 "$(answers "$PERSISTENT" 10)"
check "by its template" test "$(verdict persisted)" -ge $((before + 9))

host=$(ask "$PERSISTENT")
address=192.168.100.3$([ "$host" = real-1 ] && echo 4 || echo 5)
rest_stop "$host"
check_within 10 "$host fails its checks" real_server_is director-1 "udp-$PERSISTENT" "$address" down
check_within 10 "for both services" real_server_is director-1 udp-$PLAIN "$address" down
check "new flows go to the other" one_host 6 "$(answers "$PLAIN" 6)"
check "a persistent client too" test "$(ask "$PERSISTENT")" != "$host"
rest_start "$host"
check_within 10 "$host is back" real_server_is director-1 udp-$PLAIN "$address" up
check_within 5 "flows alternate" flows_alternate
finish
