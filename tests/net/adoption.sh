#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A planned restart with --keep-forwarding: the new daemon adopts the program, its maps and their connections.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

program() { lab_exec director-1 bpftool -j map show pinned /sys/fs/bpf/xdirector/connections | jq .id; }

# A backup would take over at the clean stop; alone, the director's restart is all there is to see.
deployment_up
hurry director-1
director_start director-1 --keep-forwarding
check_within 10 "director-1 is MASTER" has_vip director-1
check_within 10 "all real servers are up" all_real_servers_up director-1
table=$(program)

ftp_download_start 10
background rest-download curl -sS --limit-rate 8M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"
hosts_before=$(ftp_session host)
for round in 1 2 3; do
  director_signal director-1 TERM
  check_within 2 "restart $round: it ends" lab_not_running director-1 unit
  director_start director-1 --keep-forwarding
  check_within 10 "restart $round: it is MASTER again" is_master director-1
done
check "the connection table is the same one" is "$(program)" "$table"
check "the persistence template too" is "$(ftp_session host)" "$hosts_before"
check "the FTP download is complete" ftp_download_completes
check "the REST download is complete" is "$(outcome rest-download)" 67108864
finish
