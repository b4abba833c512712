#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real keepalived as the other router: each as MASTER and as BACKUP, with the higher and the same priority and with
# nopreempt, over each way to send (keepalived.jq), all at the same time; stopped, killed and started in turn.
# shellcheck disable=SC2016 # what looks like it is jq's
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v keepalived >/dev/null || skip "keepalived is not installed"
MATRIX=$LAB_STATE/matrix.json

rows() { jq -r -L "$net_dir" "${@:1:$#-1}" "include \"keepalived\"; ${!#}" "$MATRIX"; }

addresses() { lab_exec "$1" ip -j address show dev enp1s0 | jq -c '[.[].addr_info[].local]'; }

# belongs_to NODE RELATION...: the addresses of these relations are on NODE, and not on the other.
belongs_to() {
  local other=director-2
  [ "$1" = director-1 ] || other=director-1
  misplaced "$1" "$(addresses "$other")" "${@:2}"
}

# is_on NODE RELATION...: the same wherever else they may be: the other is dead, but its kernel still has them.
is_on() { misplaced "$1" '[]' "${@:2}"; }

misplaced() { # NODE THERE RELATION...
  local problem
  problem=$(rows --argjson here "$(addresses "$1")" --argjson there "$2" \
    --argjson relations "$(jq -nc '$ARGS.positional' --args "${@:3}")" 'misplaced($relations; $here; $there)')
  echo "$problem" >"$LAB_STATE/director-1/misplaced.log" # shown when the test fails
  [ -z "$problem" ]
}


keepalived_start() {
  lab_spawn director-2 keepalived keepalived --dont-fork --log-console --vrrp --no-syslog \
    --use-file "$LAB_STATE/director-2/keepalived.conf" --pid /run/keepalived.pid --vrrp_pid /run/vrrp.pid
}
keepalived_kill() { lab_exec director-2 bash -c 'kill -9 $(pgrep -x keepalived)'; }

isolated() { # on|off
  local node
  for node in director-1 director-2; do lab_exec switch bridge link set dev "$node" isolated "$1"; done
}

# Over the virtual addresses of the first transport, which are IPv4.
answered_twice() {
  local row
  for row in 1 2 3 4; do lab_exec client "$TEST_SUPPORT/arp_probe" eth0 "10.98.1.$row" --requests 10; done | jq -s 'map(.twice) | add'
}

ALL=("xdirector higher" "keepalived higher" equal nopreempt)
mkdir -p "$LAB_STATE"
jq -n -L "$net_dir" 'include "keepalived"; matrix' >"$MATRIX"
lab_switch switch
host() { # NODE INTERFACE LAST_PART
  lab_node "$1"
  lab_wire "$1" "$2" switch "10.98.0.$3/16"
  lab_exec "$1" ip link set dev "$2" addrgenmode none # its link-local address decides between equals
  lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 "net.ipv6.conf.$2.disable_ipv6=0"
  lab_exec "$1" ip address add "fd00:98::$3/64" dev "$2" nodad
  lab_exec "$1" ip address add "fe80::$3/64" dev "$2" nodad
}
host director-1 enp1s0 5
host director-2 enp1s0 2
host client eth0 9
rows xdirector >"$LAB_STATE/director-1/xdirector.json"
chmod 600 "$LAB_STATE/director-1/xdirector.json"
rows keepalived >"$LAB_STATE/director-2/keepalived.conf"

director_start director-1
check_within 6 "alone, xdirector is MASTER of all" belongs_to director-1 "${ALL[@]}"
keepalived_start
check_within 8 "keepalived takes over where it is higher" belongs_to director-2 "keepalived higher"
check "and nowhere else" belongs_to director-1 "xdirector higher" equal nopreempt

check "xdirector is stopped" director_stop director-1
check_within 2 "keepalived takes over at once" belongs_to director-2 "${ALL[@]}"
director_start director-1
check_within 6 "started again, xdirector takes back where it is higher" belongs_to director-1 "xdirector higher"
check "and nowhere else" belongs_to director-2 "keepalived higher" equal nopreempt

lab_stop director-2 keepalived
check_within 2 "keepalived is stopped: xdirector takes over at once" belongs_to director-1 "${ALL[@]}"
keepalived_start
check_within 8 "started again, keepalived takes back where it is higher" belongs_to director-2 "keepalived higher"
check "and nowhere else" belongs_to director-1 "xdirector higher" equal nopreempt

keepalived_kill
check_within 6 "keepalived is killed: xdirector takes over" is_on director-1 "${ALL[@]}"
keepalived_start
check_within 8 "started again, keepalived takes back where it is higher" belongs_to director-2 "keepalived higher"
check "and nowhere else" belongs_to director-1 "xdirector higher" equal nopreempt

director_kill director-1
check_within 6 "xdirector is killed: keepalived takes over" is_on director-2 "${ALL[@]}"
check "and no ARP request is answered twice" is "$(answered_twice)" 0
director_start director-1
check_within 6 "started again, xdirector takes back where it is higher" belongs_to director-1 "xdirector higher"
check "and nowhere else" belongs_to director-2 "keepalived higher" equal nopreempt

echo "      neither hears the other"
isolated on
check_within 6 "both are MASTER of all: xdirector" is_on director-1 "${ALL[@]}"
check_within 6 "both are MASTER of all: keepalived" is_on director-2 "${ALL[@]}"
isolated off
check_within 8 "they hear each other: the higher one stays, of equals the one with the higher address" \
  belongs_to director-1 "xdirector higher" equal nopreempt
check_within 8 "also where that is keepalived" belongs_to director-2 "keepalived higher"

check "xdirector rejected no advertisement" is \
  "$(director_status director-1 --json | jq -r '.vrrp_instances[] | select(.adverts_rejected > 0) | "\(.name): \(.last_rejected)"')" ""
finish
