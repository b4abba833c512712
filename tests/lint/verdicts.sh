#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/verdicts.md is the list of include/xdirector/verdicts.h. `tests/lint/verdicts.sh --write` makes it so.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

table() {
  cat <<'TEXT'
# Verdicts

Every packet that comes in is counted under exactly one of these, one that the director itself sends only when it is
dropped. FORWARD: sent to a real server; PASS: left to the director's kernel; DROP: ends here. (Made from
`include/xdirector/verdicts.h` by `tests/lint/verdicts.sh --write`.)

| verdict | action | what happened |
|---|---|---|
TEXT
  # shellcheck disable=SC2016,SC1003 # the backquotes are markdown's, the backslash is sed's
  tr -d '\\\n\t' <include/xdirector/verdicts.h | sed 's/X(/\nX(/g; $a\' |
    sed -nE 's/^X\(([a-z_0-9]+), ([A-Z]+), *"([^"]*)"\).*/| `\1` | \2 | \3 |/p'
}

if [ "${1:-}" = --write ]; then
  table >docs/verdicts.md
else
  diff <(table) docs/verdicts.md || wrong "docs/verdicts.md is not the list of verdicts.h: tests/lint/verdicts.sh --write"
fi
exit "$lint_failed"
