#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The layout is clang-format's, version 19 (versions differ).
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
command -v clang-format-19 >/dev/null || skip "clang-format-19 is not installed"
mapfile -t sources < <(files '*.cpp' '*.hpp' '*.c' '*.h')
clang-format-19 --dry-run -Werror "${sources[@]}"
