#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The instrument of docs/reliability.md works: one clean stop and one failback, at a short interval.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
results=$(mktemp)
at_end() {
  [ "$1" = 0 ] || cat "$results"
  rm -f "$results"
}

runs() { BUILD=$(dirname "$TEST_SUPPORT")/.. "$repository/tests/bench/failover/run.sh" "$@" --results "$results"; }
of() { jq -s "map(select(.event == \"$1\"))[0] | $2" "$results"; }

check "the tool runs" runs --kind xdirector --event stop --runs 1 --interval 0.1 --version 3
for event in stop failback; do
  check "$event: the client asked both services" test "$(of $event '[.services[].sent] | min')" -gt 500
  check "$event: the other director was seen to take over" test "$(of $event '.announcements | add | .first_ms != null')" = true
done
finish
