#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# FRR's vrrpd as the other router, version 3 over IPv4 and IPv6: each as MASTER and as BACKUP, with the higher and the
# same priority; stopped, killed and started in turn. Who is MASTER of what is told by who advertises it.
# shellcheck disable=SC2016 # what looks like it is jq's
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
FRR=/usr/lib/frr
[ -x $FRR/vrrpd ] || skip "FRR's vrrpd is not installed"
HEARD=$LAB_STATE/client/watch.log
# Virtual routers by whose priority is higher; FRR has 100 in all.
XDIRECTOR_HIGHER=1 FRR_HIGHER=2 EQUAL=3

host() { # NODE INTERFACE LAST_PART
  lab_node "$1"
  lab_wire "$1" "$2" switch "10.98.0.$3/16"
  lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
    "net.ipv6.conf.$2.disable_ipv6=0"
  lab_exec "$1" ip address add "fd00:98::$3/64" dev "$2" nodad
}

xdirector_config() {
  jq -n '{vrrp_instances: [
    {vrid: 1, priority: 150}, {vrid: 2, priority: 50}, {vrid: 3, priority: 100} | .vrid as $vrid
    | {interface: "enp1s0", virtual_router_id: .vrid, priority, version: 3, advert_int: 0.5} + (
      {name: "ipv4_\($vrid)", virtual_ipaddress: ["10.98.1.\($vrid)"]},
      {name: "ipv6_\($vrid)", virtual_ipaddress: ["fe80::98:\($vrid)", "fd00:98::1:\($vrid)"]})]}'
}

# FRR sends from, and has its addresses on, a macvlan with the virtual router's MAC address, which it finds by that.
frr_interface() { # NAME MAC ADDRESS...
  local address
  lab_exec director-2 ip link add "$1" link enp1s0 address "$2" type macvlan mode bridge
  for address in "${@:3}"; do lab_exec director-2 ip address add "$address" dev "$1" nodad; done
  lab_exec director-2 ip link set dev "$1" up
}

frr_prepare() {
  local vrid
  for vrid in 1 2 3; do
    frr_interface "vrrp4-$vrid" "00:00:5e:00:01:0$vrid" "10.98.1.$vrid/16"
    frr_interface "vrrp6-$vrid" "00:00:5e:00:02:0$vrid" "fd00:98::1:$vrid/64"
  done
  {
    echo "interface enp1s0"
    for vrid in 1 2 3; do
      printf ' vrrp %s %s\n' $vrid "version 3" $vrid "priority 100" $vrid "advertisement-interval 500" \
        $vrid "ip 10.98.1.$vrid" $vrid "ipv6 fe80::98:$vrid" $vrid "ipv6 fd00:98::1:$vrid"
    done
  } >"$LAB_STATE/director-2/vrrpd.conf"
  lab_exec director-2 mount -t tmpfs tmpfs /var/tmp # for its crash logs
  lab_exec director-2 install -d -o frr -g frr /run/frr
  frr_spawn zebra /dev/null
  await 5 lab_exec director-2 test -S /run/frr/zserv.api || lab_die "zebra does not start"
}

frr_spawn() { # DAEMON CONFIGURATION
  lab_spawn director-2 "$1" "$FRR/$1" -f "$2" --log stdout --log-level info -i "/run/frr/$1.pid" \
    -z /run/frr/zserv.api --vty_socket /run/frr
}
frr_start() { frr_spawn vrrpd "$LAB_STATE/director-2/vrrpd.conf"; }

# advertises xdirector|frr VRID...: of both families, in the last 0.8 s, and the other does not.
advertises() {
  jq -es --arg who "$1" --argjson vrids "$(jq -nc '$ARGS.positional | map(tonumber)' --args "${@:2}")" --argjson now "${EPOCHREALTIME/,/.}" '
    map(select(.kind == "advert" and .t > $now - 0.8)
        | {vrid, version, v6: (.source | contains(":")),
           who: (if .from | startswith("00:00:5e:") then "frr" else "xdirector" end)})
    | unique | map(select(.vrid == $vrids[]))
    | length == 2 * ($vrids | length) and all(.version == 3 and .who == $who)' <"$HEARD" >/dev/null
}

mkdir -p "$LAB_STATE"
lab_switch switch
host director-1 enp1s0 5
host director-2 enp1s0 2
host client eth0 9
xdirector_config >"$LAB_STATE/director-1/xdirector.json"
chmod 600 "$LAB_STATE/director-1/xdirector.json"
lab_spawn client watch "$TEST_SUPPORT/vrrp_peer" watch eth0
frr_prepare

director_start director-1
check_within 5 "alone, xdirector is MASTER of all" advertises xdirector $XDIRECTOR_HIGHER $FRR_HIGHER $EQUAL
frr_start
check_within 5 "FRR takes over where it is higher" advertises frr $FRR_HIGHER
check "and nowhere else" advertises xdirector $XDIRECTOR_HIGHER $EQUAL

check "xdirector is stopped" director_stop director-1
check_within 2.5 "FRR takes over at once" advertises frr $XDIRECTOR_HIGHER $FRR_HIGHER $EQUAL
director_start director-1
check_within 5 "started again, xdirector takes back where it is higher" advertises xdirector $XDIRECTOR_HIGHER
check "and nowhere else" advertises frr $FRR_HIGHER $EQUAL

lab_stop director-2 vrrpd
check_within 2.5 "FRR is stopped: xdirector takes over at once" advertises xdirector $XDIRECTOR_HIGHER $FRR_HIGHER $EQUAL
frr_start
check_within 5 "started again, FRR takes back where it is higher" advertises frr $FRR_HIGHER
check "and nowhere else" advertises xdirector $XDIRECTOR_HIGHER $EQUAL

director_kill director-1
check_within 5 "xdirector is killed: FRR takes over" advertises frr $XDIRECTOR_HIGHER $FRR_HIGHER $EQUAL
director_start director-1
check_within 5 "started again, xdirector takes back where it is higher" advertises xdirector $XDIRECTOR_HIGHER
check "and nowhere else" advertises frr $FRR_HIGHER $EQUAL
lab_stop director-2 vrrpd KILL
check_within 5 "FRR is killed: xdirector takes over" advertises xdirector $XDIRECTOR_HIGHER $FRR_HIGHER $EQUAL
check "xdirector rejected no advertisement" is \
  "$(director_status director-1 --json | jq -r '.vrrp_instances[] | select(.adverts_rejected > 0) | "\(.name): \(.last_rejected)"')" ""
finish
