#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# systemd understands every line of the unit. Usage: unit_file.sh XDIRECTOR
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
unit=$(mktemp -d)
trap 'rm -rf "$unit"' EXIT
sed "s|/usr/sbin/xdirector|$1|" examples/xdirector.service >"$unit/xdirector.service"
said=$(systemd-analyze verify --man=no "$unit/xdirector.service" 2>&1) || wrong "systemd-analyze verify failed"
# It also reads the units that ours depends on: only what concerns ours counts.
! grep -F xdirector <<<"$said" || wrong "systemd-analyze has something to say (above)"
exit "$lint_failed"
