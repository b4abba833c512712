#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an interface cannot do is said before the program is put on it, and goes from the status when it is put right.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

config=$LAB_STATE/director-1/xdirector.json
log=$LAB_STATE/director-1/unit.log
on_director() { lab_exec director-1 "$@"; }
checked() { on_director "$XDIRECTOR" check "$config"; }
warnings() { director_status director-1 --json | jq -r '.interfaces[].warnings[]'; }
mode_of() { director_status director-1 --json | jq -r --arg name "$1" '.interfaces[] | select(.name == $name).mode'; }
says() { grep -qF "$1" <<<"$("${@:2}")"; }
says_not() { ! says "$@"; }

# run_is_refused WORDS [OPTION...]
run_is_refused() {
  local status=0 said
  said=$(on_director timeout 10 "$XDIRECTOR" run --config "$config" "${@:2}" 2>&1) || status=$?
  is "$status" 1 && grep -qF "$1" <<<"$said"
}

no_program() { ! on_director ip link show | grep -q xdp; }
reload_is_refused() { ! reload director-1; }

deployment_up
hurry director-1

echo "      enp1s0 is a port of a bridge"
on_director ip link add br9 type bridge
on_director ip link set dev enp1s0 master br9
words="enp1s0 is a port of the bridge br9, which has this host's addresses: name \"br9\" (generic mode), or take the"
check "check notes it" says "note: not to be run on this host: $words" checked
check "run refuses" run_is_refused "$words"
check "and leaves nothing behind" on_director test ! -e /sys/fs/bpf/xdirector
on_director ip link set dev enp1s0 nomaster
check "taken out of it, check has no more to say" says_not "on this host" checked

echo "      an interface without native XDP"
on_director ip link add mv0 link enp1s0 type macvlan mode bridge
set_config director-1 '.interfaces = ["mv0"]'
check "check notes it" says "note: perhaps no native XDP on this host: mv0 is a macvlan" checked
check "native mode is refused, with the reason" run_is_refused "mv0 is a macvlan, which has no native XDP" --xdp-mode native
check "and leaves no program behind" no_program
LAB_MODE=generic director_start director-1
check_within 10 "generic mode is not: director-1 is MASTER" is_master director-1
check "whoever asked for it is told nothing about native mode" is "$(warnings)" ""
director_stop director-1
lab_spawn director-1 unit "$XDIRECTOR" run --config "$config"
check_within 10 "without a mode it starts" is_master director-1
check "enp1s0 is native" is "$(mode_of enp1s0)" native
check "mv0 is generic" is "$(mode_of mv0)" generic
check "status says why" says "mv0 is a macvlan, which has no native XDP" warnings
check "the log, too" says "mv0 runs in generic mode" cat "$log"

echo "      real servers behind an interface of a smaller MTU"
lab_switch switch-2
lab_wire director-1 enp2s0 switch-2 10.2.0.1/24
on_director ip link set dev enp2s0 mtu 1400
set_config director-1 '.interfaces = ["mv0", "enp2s0"]
  | .virtual_servers[1].real_servers += [.virtual_servers[1].real_servers[0] + {address: "10.2.0.36"}]'
check "a reload takes them" reload director-1
small="packets of more than 1400 bytes that come by enp1s0 (MTU 1500) are lost on their way out by enp2s0"
check "status warns" says "$small: give both the same MTU" warnings
on_director ip link set dev enp2s0 mtu 1500
check_within 5 "put right, it says so no more" says_not "$small" warnings
set_config director-1 '.interfaces = ["mv0"]'
check "without enp2s0 in the list" reload director-1
check "nothing is missing as long as enp2s0 takes frames from enp1s0's program" says_not enp2s0 warnings
lab_exec switch-2 ip link set dev director-1 xdpdrv off # for veth a matter of the far end's program
check "where it does not, status asks for it" says 'add "enp2s0" to "interfaces"' warnings

echo "      a reload that would lose packets"
on_director ip link set dev enp2s0 master br9
set_config director-1 '.interfaces = ["enp2s0"]'
check "is refused" reload_is_refused
check "with the reason" says "enp2s0 is a port of the bridge br9" director_status director-1
check "and enp1s0 goes on" alternates_now
finish
