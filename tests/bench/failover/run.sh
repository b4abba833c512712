#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a failover costs: keepalived and xdirector in turn on the reference deployment in namespaces, while a client asks
# the VIP every millisecond. Prints a line per run and at the end a table; docs/reliability.md tells what the words mean.
#
#   run.sh [--kind KIND]... [--event EVENT]... [--runs N] [--interval SECONDS] [--version 2|3] [--results FILE]
#   run.sh --table FILE...      the tables of earlier results
#
# Results are appended to FILE (default failover.jsonl), one run a line. The binaries are those of the preset release, or
# of the folder in BUILD. XDIRECTOR_LAB is the prefix of the lab's names, so that several may run at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../../.." && pwd)
: "${BUILD:=$repository/build/release}" "${XDIRECTOR_LAB:=xdf$$}"
export XDIRECTOR_LAB XDIRECTOR=$BUILD/controller/xdirector
TEST_SUPPORT=$BUILD/tests/support
# shellcheck source=examples/lab/nodes.sh
. "$repository/examples/lab/nodes.sh"
# shellcheck source=examples/lab/deployment.sh
. "$repository/examples/lab/deployment.sh"
# shellcheck source=tests/bench/failover/directors.sh
. "$here/directors.sh"
# shellcheck source=tests/bench/failover/events.sh
. "$here/events.sh"

kinds=() events=() runs=20 results=failover.jsonl
# shellcheck disable=SC2034 # directors.sh and events.sh read them
INTERVAL=1 VERSION=2
while [ $# -gt 0 ]; do
  case $1 in
    --kind) kinds+=("$2") ;;
    --event) events+=("$2") ;;
    --runs) runs=$2 ;;
    --interval) INTERVAL=$2 ;;
    --version) VERSION=$2 ;;
    --results) results=$2 ;;
    --table)
      shift
      cat "$@" | jq -rs -L "$here" -f "$here/table.jq"
      exit
      ;;
    *) lab_die "unknown option $1" ;;
  esac
  shift 2
done
[ ${#kinds[@]} -gt 0 ] || kinds=(keepalived xdirector)
[ ${#events[@]} -gt 0 ] || events=("${ALL_EVENTS[@]}")
lab_need_root

at_end() {
  local status=$? log
  freezer_remove
  if [ $status != 0 ]; then
    for log in "$LAB_STATE"/*/unit.log; do
      echo "--- $log" && tail -20 "$log"
    done >&2
  fi
  lab_down
}

# The deployment, with something on each director that answers by its name on the VIP, and a UDP service.
lab_up() {
  local node
  deployment_up
  for node in director-1 director-2; do
    # Bound to the VIP also while another has it: so it is there in the same instant as the address.
    lab_exec "$node" sysctl -qw net.ipv4.ip_nonlocal_bind=1
    lab_spawn "$node" echo chrt -f 20 "$TEST_SUPPORT/udp_name" serve "$VIP" "$ECHO_PORT" "$node"
  done
  for node in $REAL_SERVERS; do
    lab_spawn "$node" echo chrt -f 20 "$TEST_SUPPORT/udp_name" serve "$VIP" "$BALANCED_PORT" "$node"
  done
  configure
}

trap at_end EXIT
trap 'exit 1' INT TERM HUP
touch "$results"
began=$(wc -l <"$results")
lab_down
lab_up
for KIND in "${kinds[@]}"; do
  start director-2
  for event in "${events[@]}"; do
    for _ in $(seq "$runs"); do
      settle
      "event_$event"
    done
  done
  for node in director-1 director-2; do ! runs "$node" || stop "$node"; done
  [ "$KIND" != xdirector ] || for node in director-1 director-2; do lab_exec "$node" "$XDIRECTOR" detach; done
done
tail -n +$((began + 1)) "$results" | jq -rs -L "$here" -f "$here/table.jq"
