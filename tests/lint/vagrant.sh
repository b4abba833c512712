#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Vagrantfile is valid.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
command -v vagrant >/dev/null || skip "vagrant is not installed"
VAGRANT_HOME=$(mktemp -d) VAGRANT_DOTFILE_PATH=$(mktemp -d)
export VAGRANT_HOME VAGRANT_DOTFILE_PATH VAGRANT_CHECKPOINT_DISABLE=1
trap 'rm -rf "$VAGRANT_HOME" "$VAGRANT_DOTFILE_PATH"' EXIT
vagrant validate --ignore-provider
