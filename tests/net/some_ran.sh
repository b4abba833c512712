#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group whose every test was skipped has shown nothing: fail then. Usage: some_ran.sh FOLDER_OF_MARKERS
set -eu
[ -n "$(ls -A "$1" 2>/dev/null)" ] || {
  echo "FAIL  every test of the group net was skipped: run as root, after examples/lab/setup.sh all"
  exit 1
}
