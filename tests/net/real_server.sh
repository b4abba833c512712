#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `xdirector real-server`: add sets what a DR real server needs, remove puts back what was there before.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

state() {
  lab_exec host sh -c 'ip -4 -o address show dev lo | sed "s/ *valid_lft.*//"; ip -4 route show table all
    grep -H . /proc/sys/net/ipv4/conf/*/arp_ignore /proc/sys/net/ipv4/conf/*/arp_announce'
}
conf() { lab_exec host cat "/proc/sys/net/ipv4/conf/$1"; }
real_server() { lab_exec host "$XDIRECTOR" real-server "$@"; }
has_on_lo() { lab_exec host ip -4 -o address show dev lo | grep -F " $1/32 " >/dev/null; }

mkdir -p "$LAB_STATE"
lab_switch switch
lab_node host
lab_wire host eth0 switch 192.168.100.34/24
lab_exec host sysctl -qw net.ipv4.conf.all.arp_announce=1 # something to restore
before=$(state)

check "add" real_server add "$VIP"
check "the VIP is on lo, as /32" has_on_lo "$VIP"
check "arp_ignore" is "$(conf all/arp_ignore)" 1
check "arp_announce" is "$(conf all/arp_announce)" 2
check "show names it" grep -qF "$VIP" <<<"$(real_server show)"
once=$(state)
check "adding twice is no error" real_server add "$VIP"
check "and changes nothing" is "$(state)" "$once"
check "a second VIP" real_server add 192.168.100.112
check "removing the first leaves the second" real_server remove "$VIP"
check "which is on lo" has_on_lo 192.168.100.112
check "with arp_ignore" is "$(conf all/arp_ignore)" 1
check "removing the last one" real_server remove 192.168.100.112
check "restores what was there before" is "$(state)" "$before"
finish
