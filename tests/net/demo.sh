#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo's own claims, with the reference configuration exactly as it stands.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

check "every claim of the demo holds" "$repository/examples/lab.sh" demo
finish
