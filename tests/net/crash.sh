#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the vrrp worker, the health worker, the parent, and all of them, on the MASTER. What is back within its
# lease nobody notices; what does not come back is replaced by the BACKUP, and no ARP request is answered twice.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# kill_and_see ROLE WHAT: nobody must notice.
kill_and_see() {
  local before
  before=$(director_processes director-1 "$1")
  director_signal director-1 KILL "$1"
  check_within 3 "$2 is back" is_another director-1 "$1" "$before"
}

reference_running
watch_vip director-1
watch_vip director-2
ftp_download_start 16
background load "$TEST_SUPPORT/http_load" --in-flight 5 --timeout-ms 3000 --pause-ms 20 "http://$VIP:$REST_PORT/"

kill_and_see "worker vrrp" "the killed vrrp worker"
await 3 is_master director-1
kill_and_see "worker health" "the killed health worker"
kill_and_see "run" "the killed parent"
check_within 4 "and is MASTER, by its status" is_master director-1
# All at once: the parent's death ends its workers, so this is all three within one instant.
before=$(director_processes director-1 run)
director_signal director-1 KILL "" || true # the workers may have followed their parent
check_within 3 "all three, killed, are back" is_another director-1 run "$before"
check_within 4 "and MASTER, by status" is_master director-1
check_within 5 "with all real servers up" all_real_servers_up director-1

lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request failed meanwhile" is "$(jq .failed <<<"$report")" 0
check "the FTP transfer in flight completed" ftp_download_completes
check "director-1 kept the VIP all the time" vip_was_left_alone director-1
check "director-2 never took it" vip_was_left_alone director-2

echo "      now killed for good"
director_kill director-1
check_within 6 "director-2 takes over" has_vip director-2
check "director-1's kernel still has the VIP" has_vip director-1
answers=$(arp_answers 200)
echo "      $answers"
check "no ARP request is answered twice" is "$(jq .twice <<<"$answers")" 0
check "and every one once" is "$(jq .once <<<"$answers")" 200
check_within 3 "requests are answered" rest
check "by both real servers in turn" alternates "$(rest_hosts 6)"
finish
