#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A configuration that does not hold water changes nothing, and status says why.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

refused() {
  director_status director-1 --json |
    jq -e --arg part "$1" '.last_reload | .ok == false and (.errors | any(contains($part)))'
}

reference_running
watch_vip director-1
cp "$LAB_STATE/director-1/xdirector.json" "$LAB_STATE/good.json"

set_config director-1 '.vrrp_instances[0].prioritty = 7'
director_signal director-1 HUP
check_within 3 "an unknown key is told in status" refused prioritty

echo '{ "router_id": ' >"$LAB_STATE/director-1/xdirector.json"
director_signal director-1 HUP
check_within 3 "so is a file cut short" refused "xdirector.json"

rm "$LAB_STATE/director-1/xdirector.json"
director_signal director-1 HUP
check_within 3 "so is a file that is gone" refused "No such file"

check "the log says it" grep -q prioritty "$LAB_STATE/director-1/unit.log"
check "requests alternate as before" alternates "$(rest_hosts 6)"
check "the VIP stayed" vip_was_left_alone director-1

install -m 600 "$LAB_STATE/good.json" "$LAB_STATE/director-1/xdirector.json"
check "a good one is taken, and the error gone" reload director-1
finish
