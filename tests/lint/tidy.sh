#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over controller/, what changed last first, for TIDY_SECONDS (120) at most: two cores do not finish it all
# in a test's time. TIDY_SECONDS=3600 does. Usage: tidy.sh BUILD_FOLDER
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
command -v clang-tidy-19 >/dev/null || skip "clang-tidy-19 is not installed"
build=$1
[ -e "$build/compile_commands.json" ] || skip "no compile_commands.json in $build"
end=$((SECONDS + ${TIDY_SECONDS:-120}))
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

newest_first() {
  while read -r file; do
    echo "$(git log -1 --format=%ct -- "$file" 2>/dev/null || echo 0) $file"
  done < <(files 'controller/*.cpp') | sort -rn | cut -d' ' -f2-
}

tidy_one() {
  if ! clang-tidy-19 --quiet -p "$build" "$1" >"$results/$2.text" 2>"$results/$2.errors"; then
    cat "$results/$2.text" >>"$results/wrong"
    grep -E 'error:' "$results/$2.errors" >>"$results/wrong" || true
  fi
}

mapfile -t sources < <(newest_first)
done_count=0
for file in "${sources[@]}"; do
  [ "$SECONDS" -lt "$end" ] || break
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
  tidy_one "$file" "$done_count" &
  done_count=$((done_count + 1))
done
wait
echo "clang-tidy: $done_count of ${#sources[@]} files"
[ ! -s "$results/wrong" ] || { cat "$results/wrong"; exit 1; }
