#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script is read by shellcheck.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
command -v shellcheck >/dev/null || skip "shellcheck is not installed"
mapfile -t scripts < <(files '*.sh' '.ci/run')
shellcheck "${scripts[@]}"
