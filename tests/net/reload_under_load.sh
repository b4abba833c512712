#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fifty reloads that add, remove and re-weight real servers, with 200 requests in flight: not one may fail.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Each as jq sees the REST service's real servers.
changes=(
  '[0].weight = 1 | .[1].weight = 3' # re-weight
  'del(.[1])'                        # remove
  '.'                                # add again
  '[1].weight = 0'                   # drain
  'del(.[0])'                        # remove the other
)

apply_change() {
  cp "$LAB_STATE/director-1/full.json" "$LAB_STATE/director-1/xdirector.json"
  set_config director-1 "(.virtual_servers[] | select(.name == \"rest\").real_servers) |= (${1/#\[/.[})"
  reload director-1
}

# The reloads are paced by the requests, so that there is as much load on a fast machine as on a slow one.
have_begun() { [ "$(director_status director-1 --json | jq .verdicts.scheduled)" -ge "$1" ]; }

reference_running
cp "$LAB_STATE/director-1/xdirector.json" "$LAB_STATE/director-1/full.json"

background load "$TEST_SUPPORT/http_load" --in-flight 200 --timeout-ms 15000 "http://$VIP:$REST_PORT/slow"
await 5 client_connections_reach 150
background pinned curl -sS --limit-rate 4M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"
failed_reloads=0
for ((i = 0; i < 50; i++)); do
  apply_change "${changes[i % ${#changes[@]}]}" || failed_reloads=$((failed_reloads + 1))
  await 5 have_begun $((200 + 24 * i))
done
check "fifty reloads were applied" is "$failed_reloads" 0
lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request failed" is "$(jq .failed <<<"$report")" 0
check "there were many" test "$(jq .requests <<<"$report")" -gt 1000
check "both real servers had their share" test "$(jq '.hosts | length' <<<"$report")" = 2
check "a download that went on through all of it is complete" is "$(outcome pinned)" 67108864

apply_change 'map(select(.address != "192.168.100.35"))'
check "a removed real server gets nothing new" one_host 8 "$(rest_hosts 8)"
finish
