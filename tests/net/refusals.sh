#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts that are refused say why and what to do, with an exit code that systemd understands; a full /run is no reason
# to refuse or to fall over.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

log=$LAB_STATE/director-1/unit.log
sysctls() { lab_exec director-1 cat /proc/sys/net/ipv4/conf/enp1s0/arp_{ignore,announce} | paste -sd' '; }

# start_is_refused EXIT_CODE WORDS: with the configuration file as it is.
start_is_refused() {
  local status=0 said
  said=$(lab_exec director-1 timeout 10 "$XDIRECTOR" run --config "$LAB_STATE/director-1/xdirector.json" \
    --xdp-mode "$LAB_MODE" 2>&1) || status=$?
  grep ': error: ' <<<"$said" | sed 's/^/      /'
  is "$status" "$1" && grep -qF "$2" <<<"$said"
}

# with JQ_FILTER CLAIM EXIT_CODE WORDS
with() {
  install -m 600 "$LAB_STATE/good.json" "$LAB_STATE/director-1/xdirector.json"
  set_config director-1 "$1"
  check "$2" start_is_refused "$3" "$4"
}

deployment_up
hurry director-1
cp "$LAB_STATE/director-1/xdirector.json" "$LAB_STATE/good.json"

with '.vrrp_instances[0].interface = "enp9s9"' "an interface that does not exist: exit code 1" \
  1 'interface "enp9s9" does not exist on this host'
with '.virtual_servers[1].real_servers[0].address = "10.9.9.9"' "a real server in no network of ours: exit code 1" \
  1 'real server 10.9.9.9 of "rest" is not on a directly connected network'
with '.virtual_servers[1].real_servers[0].address = "192.168.100.244"' "its own real server, but no peer: exit code 1" \
  1 'is an address of this director: name the other director by "peer_directors"'
with '.peer_directors = ["192.168.100.244"] | .vrrp_instances[0].mcast_src_ip = "192.168.100.245"' \
  "a peer that is this director itself: exit code 1" 1 'peer director 192.168.100.244 is an address of this director'
with '.peer_directors = ["10.9.9.9"]' "a peer in no network of ours: exit code 1" \
  1 'peer director 10.9.9.9 is not on a directly connected network'
with '.virtual_servers[1].lb_algoo = "wrr"' "a mistake in the file: exit code 78" 78 'did you mean "lb_algo"?'
check "nothing of all this stays behind" lab_exec director-1 test ! -e /sys/fs/bpf/xdirector

echo "      /run is full"
install -m 600 "$LAB_STATE/good.json" "$LAB_STATE/director-1/xdirector.json"
lab_exec director-1 sh -c 'mkdir -p /run/xdirector && mount -t tmpfs -o size=4k tmpfs /run/xdirector &&
  head -c 4096 /dev/zero >/run/xdirector/ballast'
before=$(sysctls)
director_start director-1
check_within 15 "it starts all the same and becomes MASTER" is_master director-1
check_within 10 "with all real servers up" all_real_servers_up director-1
check "the log says what could not be written" grep -q 'No space left' "$log"
check "arp_ignore and arp_announce are held" is "$(sysctls)" "1 2"
check "requests alternate" alternates_now
set_config director-1 '.virtual_servers[1].real_servers[0].weight = 2'
check "a reload succeeds" reload director-1

check "a second xdirector is refused: exit code 1" start_is_refused 1 "xdirector is already running here"
check "the first one goes on" is_master director-1
director_signal director-1 TERM
check_within 2 "SIGTERM: it ends" lab_not_running director-1 unit
check "in order" grep -q '^unit: exit 0$' "$log"
check "arp_ignore and arp_announce are as before" is "$(sysctls)" "$before"

echo "      /run is not full any more"
lab_exec director-1 umount /run/xdirector
director_start director-1
check_within 15 "it is MASTER" is_master director-1
check "a second one is refused and names the first" start_is_refused 1 \
  "already running here as process $(director_processes director-1 run | head -1)"
finish
