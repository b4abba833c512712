#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Processes that hang instead of dying, and a worker that dies again and again.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

reference_running
watch_vip director-1
background load "$TEST_SUPPORT/http_load" --in-flight 5 --timeout-ms 3000 --pause-ms 20 "http://$VIP:$REST_PORT/"

before=$(director_processes director-1 "worker health")
director_signal director-1 STOP "worker health"
check_within 15 "a health worker that hangs is replaced" is_another director-1 "worker health" "$before"
check_within 5 "all real servers are up" all_real_servers_up director-1
check "director-1 kept the VIP" vip_was_left_alone director-1

before=$(director_processes director-1 "worker vrrp")
director_signal director-1 STOP "worker vrrp"
check_within 3 "a vrrp worker that hangs is replaced" is_another director-1 "worker vrrp" "$before"
check_within 10 "director-1 is MASTER, still or again" is_master director-1

lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request failed meanwhile" is "$(jq .failed <<<"$report")" 0

echo "      now the vrrp worker dies as often as it is started"
start=$(now_ms)
until (has_vip director-2) || [ "$(now_ms)" -gt $((start + 20000)) ]; do
  director_signal director-1 KILL "worker vrrp" 2>/dev/null || true
  sleep 0.02
done
check "director-2 has taken over" has_vip director-2
check_within 1 "the parent took the VIP off director-1 in the worker's stead" has_no_vip director-1
check_within 30 "left alone, director-1 becomes MASTER again" is_master director-1
check_within 2 "and director-2 has given way" has_no_vip director-2

echo "      now all of director-1 stands still, as a virtual machine does that is moved"
director_signal director-1 STOP ""
check_within 6 "director-2 takes over" has_vip director-2
answers=$(arp_answers 100)
echo "      $answers"
check "director-1 is silent: no ARP request is answered twice" is "$(jq .twice <<<"$answers")" 0
check "and every one once" is "$(jq .once <<<"$answers")" 100
director_signal director-1 CONT ""
check_within 10 "going on, director-1 is MASTER" is_master director-1
check_within 5 "and director-2 is not" has_no_vip director-2
check_within 5 "requests are answered" rest
finish
