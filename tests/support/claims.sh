# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a test script claims. It says what must hold with check and check_within, and ends with `finish`; what it defines
# as `at_end` is run then, or when it breaks off, with 0 if all held. Needs await of examples/lab/nodes.sh.

claims_failed=0
claims_finished=0

claims_begin() {
  trap claims_at_exit EXIT
  trap 'exit 1' INT TERM HUP
}

skip() {
  echo "SKIPPED: $*"
  trap - EXIT
  exit 77
}

# check CLAIM COMMAND...
check() {
  if "${@:2}"; then
    echo "ok    $1"
  else
    claims_fail "$1"
  fi
}

# check_within SECONDS CLAIM COMMAND...
check_within() {
  local start
  start=$(now_ms)
  if await "$1" "${@:3}"; then
    echo "ok    $2 (after $(seconds_since "$start") s)"
  else
    claims_fail "$2 (not within $1 s)"
  fi
}

claims_fail() {
  echo "FAIL  $*"
  claims_failed=1
}

# never_within SECONDS COMMAND...: for check; fails as soon as COMMAND succeeds.
never_within() { ! await "$@"; }

# is ACTUAL EXPECTED: for check; tells both when they differ.
is() {
  [ "$1" = "$2" ] || {
    echo "      is:       $1"
    echo "      expected: $2"
    return 1
  }
}

finish() {
  claims_finished=1
  exit "$claims_failed"
}

claims_at_exit() {
  local status=$?
  if [ "$claims_finished" = 0 ]; then
    echo "FAIL  the test broke off"
    status=1
  fi
  at_end "$status"
}
