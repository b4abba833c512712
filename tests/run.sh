#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and tests. Usage: sudo tests/run.sh [unit|bpf|net|guest|lint|guest_long]...   (default: all but guest_long)
#
# As root it installs what is missing first. `unit` runs twice: as built by gcc, and with clang under the address and
# undefined-behaviour sanitizers, together with a few seconds of each fuzz target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
labels=("$@")
[ $# -gt 0 ] || labels=(unit bpf guest lint net)

wants() { [[ " ${labels[*]} " == *" $1 "* ]]; }

# The output only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || tail -80 "$log"
  rm -f "$log"
  return "$status"
}

build() {
  local preset=$1
  shift
  echo "building $preset: ${*:-everything}"
  if ! { quietly cmake --preset "$preset" && quietly ninja -C "build/$preset" "$@"; }; then
    echo "run.sh: the build $preset failed" >&2
    return 1
  fi
}

# All of the controller with clang, whose warnings are errors as well; unit tests and fuzz targets of it.
sanitized() {
  command -v clang++-19 >/dev/null || {
    echo "no clang-19 here: without the sanitizers' run and without fuzzing"
    return 0
  }
  local fuzz_targets
  fuzz_targets=$(sed -nE 's/^add_fuzz_target\(([a-z_]+).*/\1_fuzz/p' tests/fuzz/CMakeLists.txt)
  # shellcheck disable=SC2086 # one word per target
  build asan xdirector unit_tests $fuzz_targets &&
    quietly ctest --test-dir build/asan -L '^unit$' -j"$(nproc)" --output-on-failure &&
    echo "unit tests and fuzz targets pass under the sanitizers"
}

failed=0
if [ "$(id -u)" = 0 ]; then examples/lab/setup.sh all; fi
if wants guest || wants guest_long; then
  tests/guest/kernels.sh 6.1 6.12 || echo "run.sh: without Debian's kernels the tests in guests are skipped" >&2
fi
if wants unit; then sanitized || failed=1; fi
build dev || exit 1
pattern=$(IFS='|'; echo "^(${labels[*]})\$")
ctest --test-dir build/dev -L "$pattern" -j"$(nproc)" --no-tests=error --output-on-failure </dev/null || failed=1
[ "$failed" = 0 ] || echo "run.sh: something failed (above)" >&2
exit "$failed"
