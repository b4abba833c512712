#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A process that hangs (SIGSTOP) on the MASTER: a worker is replaced, a parent that goes on judges nobody falsely, and
# in the meantime nobody notices. And a director that stands still altogether.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

workers() { director_processes director-1 worker; }
workers_changed() { [ "$(workers)" != "$1" ]; }
log_says() { grep -q "$1" "$LAB_STATE/director-1/unit.log"; }

reference_running
watch_vip director-1
watch_vip director-2
background load "$TEST_SUPPORT/http_load" --in-flight 2 --timeout-ms 5000 --pause-ms 20 "http://$VIP:$REST_PORT/"

before=$(director_processes director-1 "worker vrrp")
director_signal director-1 STOP "worker vrrp"
check_within 1 "a vrrp worker that hangs is replaced" is_another director-1 "worker vrrp" "$before"
check "the log says that it hung" log_says "vrrp worker (pid [0-9]*) hangs"
check_within 3 "its successor is MASTER" is_master director-1

before=$(director_processes director-1 "worker health")
director_signal director-1 STOP "worker health"
check_within 15 "a health worker that hangs is replaced" is_another director-1 "worker health" "$before"
check_within 5 "all real servers are up" all_real_servers_up director-1
check "and none was taken out meanwhile" is "$(grep -c ' is down: ' "$LAB_STATE/director-1/unit.log" || true)" 0

before=$(workers)
director_signal director-1 STOP
meanwhile=$(lab_exec client "$TEST_SUPPORT/http_load" --in-flight 2 --timeout-ms 3000 --pause-ms 20 --seconds 5 \
  "http://$VIP:$REST_PORT/") || true
echo "      $meanwhile"
director_signal director-1 CONT
check "while the parent hangs for 5 s, requests are answered" is "$(jq .failed <<<"$meanwhile")" 0
check_within 3 "going on, it is MASTER" is_master director-1
check "and ends none of its workers" never_within 2 workers_changed "$before"

lab_exec client pkill -TERM -x http_load
report=$(outcome load)
echo "      $report"
check "no request failed in all the time" is "$(jq .failed <<<"$report")" 0
check "director-1 kept the VIP" vip_was_left_alone director-1
check "director-2 never took it" vip_was_left_alone director-2

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
