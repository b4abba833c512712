#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source file begins with its licence and, in the next line, what it is for.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

while read -r file; do
  case $file in
    bpf/* | include/* | *.bpf.c) licence='GPL-2.0-only OR BSD-2-Clause' ;;
    *) licence='Apache-2.0' ;;
  esac
  first=$(head -4 "$file")
  at=$(grep -n "SPDX-License-Identifier: $licence" <<<"$first" | cut -d: -f1 | head -1 || true)
  if [ -z "$at" ]; then
    wrong "$file: no line \"SPDX-License-Identifier: $licence\" at its top"
    continue
  fi
  purpose=$(sed -n "$((at + 1)),$((at + 2))p" "$file" | sed -E 's|^[#/* ]+||' | tr -d '\n')
  comment=$(sed -n "$((at + 1))p" "$file")
  [[ $comment =~ ^(#|//|/\*) && ${#purpose} -gt 10 ]] || wrong "$file: the line after its licence does not say what it is for"
done < <(files '*.cpp' '*.hpp' '*.c' '*.h' '*.sh' '*.cmake' '*CMakeLists.txt' '.ci/run' 'Vagrantfile')
exit "$lint_failed"
