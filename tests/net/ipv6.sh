#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The reference deployment over IPv6: REST alternates, FTP (EPSV) stays with its real server through the mark, a real
# server that fails is taken out and taken in again. VRRP is IPv4 only yet: the VIP is put on director-1 by hand.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
[ -e /proc/net/if_inet6 ] || skip "this kernel has no IPv6"
VIP6=fd00:100::111
ADDRESS_1=fd00:100::34 ADDRESS_2=fd00:100::35

# ipv6_address NODE INTERFACE ADDRESS/LENGTH [OPTION...]
ipv6_address() {
  lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 "net.ipv6.conf.$2.disable_ipv6=0"
  lab_exec "$1" ip address add "$3" dev "$2" nodad "${@:4}"
}

# What it serves it serves over IPv6 too.
real_server_to_ipv6() {
  local state=$LAB_STATE/$1
  rest_stop "$1"
  ftp_stop "$1"
  sed -i "s/^ *listen .*/&\n    listen [::]:$REST_PORT backlog=4096;/" "$state/nginx.conf"
  sed -i 's/^listen=YES/listen_ipv6=YES/; /^pasv_address=/d' "$state/vsftpd.conf"
  ipv6_address "$1" eth0 "$2/64"
  lab_exec "$1" sysctl -qw net.ipv6.conf.lo.disable_ipv6=0
  lab_exec "$1" "$XDIRECTOR" real-server add "$VIP6" >>"$state/real-server.log"
  real_server_start "$1"
}

rest() { lab_exec client curl -sS --max-time "${REST_TIMEOUT:-3}" "http://[$VIP6]:$REST_PORT/"; }
ftp_session() {
  local file urls=()
  for file in "$@"; do urls+=("ftp://[$VIP6]:$FTP_PORT/$file"); done
  lab_exec client curl -sS --max-time 20 "${urls[@]}"
}
both_up() {
  for service in rest ftp; do
    real_server_is director-1 "$service" "$ADDRESS_1" up && real_server_is director-1 "$service" "$ADDRESS_2" up || return 1
  done
}
connect_to() { lab_exec client curl -s --max-time 3 "http://[$VIP6]:$1/" || echo $?; }
is_connected() { [ -n "$(lab_exec client ss -Htn state established dst "[$VIP6]:$REST_PORT")" ]; }
verdict() { director_status director-1 --json | jq ".verdicts.$1"; }

deployment_up
ipv6_address client eth0 fd00:100::31/64
real_server_to_ipv6 real-1 "$ADDRESS_1"
real_server_to_ipv6 real-2 "$ADDRESS_2"
ipv6_address director-1 enp1s0 fd00:100::244/64
ipv6_address director-1 enp1s0 "$VIP6/128" preferred_lft 0 # else health checks would come from it
set_config director-1 'del(.vrrp_instances) | .interfaces = ["enp1s0"] | .virtual_servers[0].persistence_granularity = 64'
sed -i 's/192\.168\.100\./fd00:100::/' "$LAB_STATE/director-1/xdirector.json"
hurry director-1
director_start director-1

check_within 10 "all real servers are up" both_up
check "status shows addresses in brackets" grep -qF "TCP [$VIP6]:$REST_PORT" <<<"$(director_status director-1)"
check_within 5 "requests alternate" alternates_now
check "the VIP's other ports are the director's" is "$(connect_to 22)" 7 # refused
check "a large answer is complete" is \
  "$(lab_exec client curl -sS -o /dev/null -w '%{size_download}' "http://[$VIP6]:$REST_PORT/large")" 67108864

for map in services6 port_marks6; do
  check "$map reads as text" grep -q '"address":' \
    <<<"$(lab_exec director-1 bpftool map dump pinned "/sys/fs/bpf/xdirector/$map")"
done

host=$(ftp_session host)
check "FTP: control and data connections have one real server" one_host 3 "$(ftp_session host host host)"
check "a client stays with its real server" is "$(ftp_session host)" "$host"
check "by its template" test "$(verdict persisted)" -ge 4
ipv6_address client eth0 fd00:100::32/64
check "so does its neighbour of the same /64" is \
  "$(lab_exec client curl -sS --max-time 20 --interface fd00:100::32 "ftp://[$VIP6]:$FTP_PORT/host")" "$host"

address=$([ "$host" = real-1 ] && echo "$ADDRESS_1" || echo "$ADDRESS_2")
ftp_stop "$host"
check_within 10 "FTP of $host is taken out" real_server_is director-1 ftp "$address" down
check "its client gets the other one" test "$(ftp_session host)" != "$host"
check_within 5 "REST has both" alternates_now
ftp_start "$host"
check_within 10 "FTP of $host is back" both_up

lab_exec "$host" ip link set dev eth0 address 02:00:00:00:77:06
check_within 15 "a real server with another MAC address is found" alternates_now

background download curl -sS --limit-rate 16M -o /dev/null -w '%{size_download}' "http://[$VIP6]:$REST_PORT/large"
await 5 is_connected
parent=$(director_processes director-1 run)
director_signal director-1 KILL
check_within 5 "xdirector, killed, is started again" is_another director-1 run "$parent"
check_within 5 "requests alternate" alternates_now
check "the tables are those of before: a download goes on" is "$(outcome download)" 67108864

set_config director-1 '.virtual_servers[1].real_servers[0].address = "2001:db8::34"'
director_signal director-1 HUP
refused() { director_status director-1 | grep -F "real server 2001:db8::34 of \"rest\" is not on a directly connected"; }
check_within 5 "a real server behind a router is refused" refused
finish
