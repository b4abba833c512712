#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A restart with tables of another size, smaller and larger: downloads through the director go on, and clients keep their real
# servers. `xdirector connections` shows them with and without a daemon.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

client=192.168.100.31

table_entries() {
  lab_exec director-1 bpftool -j map show pinned /sys/fs/bpf/xdirector/connections | jq .max_entries
}
connections() { lab_exec director-1 "$XDIRECTOR" connections "$@"; }

rest_connections() { connections --client "$client" --virtual "$VIP:$REST_PORT" --state established "$@"; }

# restart_with SLOTS: as a package's upgrade or `systemctl restart` with another file would.
restart_with() {
  director_signal director-1 TERM
  check_within 2 "$1 slots: it ends" lab_not_running director-1 unit
  check "$1 slots: the connection is listed without a daemon" download_is_listed
  set_config director-1 ".connection_slots = $1 | .connection_slots_ipv6 = $1 | .persistence_slots = $1"
  director_start director-1 --keep-forwarding
  check_within 10 "$1 slots: it is MASTER again" is_master director-1
  check "$1 slots: the table has its size" is "$(table_entries)" "$(($1 / 4))"
  check "$1 slots: the connection is still with its real server" is "$(real_server_of_download)" "$real_server"
  check "$1 slots: so are the templates" is "$(ftp_session host)" "$host_before"
}
download_is_listed() { [ "$(rest_connections --count)" = 1 ]; }
real_server_of_download() { rest_connections --json | jq -r '.[0].real_server'; }

deployment_up
hurry director-1
director_start director-1 --keep-forwarding
check_within 10 "director-1 is MASTER" has_vip director-1
check_within 10 "all real servers are up" all_real_servers_up director-1

ftp_download_start 24
background rest-download curl -sS --limit-rate 3M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"
host_before=$(ftp_session host)
check_within 5 "the download is an established connection" download_is_listed
real_server=$(real_server_of_download)
check "the client has a template" is "$(connections --persistence --count --client "$client")" 1

restart_with 1024
restart_with 65536

check "the FTP download is complete" ftp_download_completes
check "the REST download is complete" is "$(outcome rest-download)" 67108864
check "nothing is listed for a client that there is not" is "$(connections --count --client 192.0.2.1)" 0
finish
