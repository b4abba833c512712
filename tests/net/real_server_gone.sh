#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real server that comes back with another MAC address keeps its connections; one that leaves the network is taken
# out, what it had is reset at once instead of hanging, and it is taken in again when it is back.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

mac_in_status() {
  director_status director-1 --json | jq -r --arg address "$1" \
    '[.virtual_servers[].real_servers[] | select(.address == $address).mac] | unique | join(" ")'
}
mac_in_status_is() { [ "$(mac_in_status "$1")" = "$2" ]; }
rescheduled() { director_status director-1 --json | jq .verdicts.rescheduled; }
download() { background "$1" curl -sS --limit-rate 8M -o /dev/null -w '%{size_download}' "http://$VIP:$REST_PORT/large"; }
ended() { test -e "$LAB_STATE/$1.out.ended"; }

reference_running
download one
download two # wrr: each real server has one of them
await 5 client_connections_reach 2
lab_exec real-1 sysctl -qw net.ipv4.conf.eth0.arp_notify=1 # as whoever replaces a card would tell the network
lab_exec real-1 ip link set dev eth0 address 02:00:00:00:77:01
check_within 5 "real-1's new MAC address is known" mac_in_status_is 192.168.100.34 02:00:00:00:77:01
check "requests alternate" alternates_now
check "a download completes" is "$(outcome one)" 67108864
check "and so does the other, of which one was real-1's" is "$(outcome two)" 67108864
check "it was not taken out meanwhile" all_real_servers_up director-1

echo "      the same without a word to anybody"
lab_exec real-1 sysctl -qw net.ipv4.conf.eth0.arp_notify=0
lab_exec real-1 ip link set dev eth0 address 02:00:00:00:77:02
check_within 12 "real-1's new MAC address is found out" mac_in_status_is 192.168.100.34 02:00:00:00:77:02
check_within 5 "real-1 is up again" all_real_servers_up director-1
check "requests alternate" alternates_now

host=$(ftp_session host)
case $host in
  real-1) address=192.168.100.34 other=real-2 ;;
  *) address=192.168.100.35 other=real-1 ;;
esac
before=$(rescheduled)
background upload curl -sS --disable-epsv --limit-rate 500K -T "$LAB_STATE/$host/www/large" \
  "ftp://$VIP:$FTP_PORT/incoming/large"
# Only who sends can be reset: wait until it does.
await 5 test -s "$LAB_STATE/$host/ftp/incoming/large"
lab_exec "$host" ip link set dev eth0 down
check_within 10 "$host, gone from the network, is taken out" real_server_is director-1 ftp "$address" down
check_within 10 "for REST too" real_server_is director-1 rest "$address" down
check_within 20 "the upload it had ends" ended upload
echo "      $(outcome upload)"
check "having been rescheduled" test "$(rescheduled)" -gt "$before"
check "requests are answered by $other" one_host 6 "$(rest_hosts 6)"
check "and FTP, in spite of persistence" is "$(ftp_session host)" "$other"

lab_exec "$host" ip link set dev eth0 up
check_within 10 "back, it is taken in" all_real_servers_up director-1
check_within 5 "requests alternate" alternates_now
finish
