#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands that README.md and docs/ show exist: scripts of this repository, subcommands of xdirector, linked files.
# README's configuration is accepted. Usage: readme.sh XDIRECTOR
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
xdirector=$1
help=$("$xdirector" --help)

# The lines inside ```sh fences.
commands() { awk '/^```sh$/ {inside = 1; next} /^```/ {inside = 0} inside' "$1"; }

while read -r document; do
  while read -r command; do
    command=${command#\$ }
    command=${command#sudo }
    word=${command%% *}
    case $word in
      examples/* | tests/* | .ci/*) [ -x "$word" ] || wrong "$document: $word is no script here" ;;
      xdirector)
        subcommand=$(cut -d' ' -f2 <<<"$command")
        [[ $subcommand == --* ]] || grep -qE "^ +$subcommand\b" <<<"$help" ||
          wrong "$document: xdirector has no subcommand $subcommand"
        ;;
    esac
  done < <(commands "$document")
  while read -r link; do
    [ -e "$(dirname "$document")/$link" ] || wrong "$document: links to $link, which is not there"
  done < <(grep -oE '\]\([^):#]+' "$document" | sed 's/^](//' || true)
done < <(files '*.md')

config=$(mktemp)
trap 'rm -f "$config"' EXIT
awk '/^```json$/ {inside = 1; next} /^```/ {inside = 0} inside' README.md >"$config"
"$xdirector" check "$config" >/dev/null || wrong "README.md: its configuration is refused"
exit "$lint_failed"
