#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and tests. Usage: sudo tests/run.sh [unit|bpf|net|lint|fuzz]...   (default: all)
#
# As root it installs what is missing first. `unit` runs twice: as built by gcc, and with clang under the address and
# undefined-behaviour sanitizers; `fuzz` runs each fuzz target for FUZZ_SECONDS (10).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
labels=("${@:-unit}")
[ $# -gt 0 ] || labels=(unit fuzz bpf lint net)

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

# Everything of the controller with clang too, whose warnings are errors as well.
sanitized() {
  command -v clang++-19 >/dev/null || {
    echo "no clang-19 here: without the sanitizers' run and without fuzzing"
    return 0
  }
  build asan || return 1
  local target status=0
  if wants unit; then
    quietly ctest --test-dir build/asan -L '^unit$' -j"$(nproc)" --output-on-failure || status=1
    [ "$status" = 0 ] && echo "unit tests pass under the sanitizers"
  fi
  if wants fuzz; then
    for target in build/asan/tests/fuzz/fuzz_*; do
      if [ ! -x "$target" ] || [ ! -f "$target" ]; then continue; fi
      echo "fuzzing $(basename "$target") for ${FUZZ_SECONDS:-10} s"
      fuzz "$target" || status=1
    done
  fi
  return "$status"
}

# Starts from the samples in tests/fuzz/corpus/NAME, if any, and keeps what it finds out of the tree.
fuzz() {
  local found samples
  found=$(mktemp -d)
  samples=tests/fuzz/corpus/$(basename "$1")
  [ -d "$samples" ] || samples=
  quietly "$1" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=5 -artifact_prefix="$found/" "$found" ${samples:+"$samples"} ||
    { echo "run.sh: $1 found a defect" >&2; rm -rf "$found"; return 1; }
  rm -rf "$found"
}

failed=0
if [ "$(id -u)" = 0 ]; then examples/lab/setup.sh all; fi
if wants unit || wants fuzz; then sanitized || failed=1; fi

ctest_labels=()
for label in "${labels[@]}"; do [ "$label" = fuzz ] || ctest_labels+=("$label"); done
if [ ${#ctest_labels[@]} -gt 0 ]; then
  build dev || exit 1
  pattern=$(IFS='|'; echo "^(${ctest_labels[*]})\$")
  ctest --test-dir build/dev -L "$pattern" -j"$(nproc)" --no-tests=error --output-on-failure </dev/null || failed=1
fi
[ "$failed" = 0 ] || [ ${#ctest_labels[@]} = 0 ] || echo "run.sh: something failed (above)" >&2
exit "$failed"
