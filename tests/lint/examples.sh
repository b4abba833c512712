#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every configuration among the examples is accepted; the reference ones with exactly one warning, the overlap of 9826.
# Usage: examples.sh XDIRECTOR
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
xdirector=$1

while read -r config; do
  said=$("$xdirector" check "$config" 2>&1) || wrong "$config is refused: $said"
  case $config in
    examples/reference/*)
      [ "$(grep -c ': warning: ' <<<"$said")" = 1 ] || wrong "$config: not exactly one warning: $said"
      grep ': warning: ' <<<"$said" | grep 9826 >/dev/null || wrong "$config: no warning about 9826: $said"
      ;;
  esac
done < <(files 'examples/*.json')
exit "$lint_failed"
