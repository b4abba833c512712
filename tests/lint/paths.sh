#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing in the repository knows a path of somebody's machine.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
mapfile -t all < <(files '*' '.*')
if grep -nE '(^|[^[:alnum:]_.])/(work|root|home)/[[:alnum:]]' "${all[@]}"; then
  echo "a machine's own path is in the lines above"
  exit 1
fi
