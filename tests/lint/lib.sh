# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For every lint: the repository's files, and a way to say what is wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck disable=SC2034 # each lint ends with it
lint_failed=0

# Tracked, and not yet tracked but not ignored; in an export without git, all but the builds.
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      [ ! -e "$file" ] || echo "$file"
    done
  else
    find . -path ./build -prune -o -type f -print | sed 's|^\./||' | grep -E "$(printf '%s|' "$@" | sed 's/\./\\./g; s/\*/.*/g; s/|$/$/; s/|/$|/g')"
  fi
}

wrong() {
  echo "$*"
  # shellcheck disable=SC2034
  lint_failed=1
}

skip() {
  echo "SKIPPED: $*"
  exit 77
}
