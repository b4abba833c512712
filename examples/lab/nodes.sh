# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Nodes, switches and wires: hosts made of namespaces, with no idea of what runs in them.
#
# A node has its own network, mount, UTS and PID namespace, its own bpffs, /run and /var/lib. All of it hangs on the
# node's process 1: ending that ends every process, interface and mount of the node. State lies in $LAB_STATE:
#   NODE/init   host's process id of the node's process 1, and the inode of its network namespace
#   NODE/*.log  what the node's daemons said
#
# Environment: XDIRECTOR_LAB, the prefix of this lab's names (default xd); XDIRECTOR_LAB_MODE, native or generic.

LAB=${XDIRECTOR_LAB:-xd}
LAB_MODE=${XDIRECTOR_LAB_MODE:-native}
LAB_ROOT=/run/xdirector-lab
LAB_STATE=$LAB_ROOT/$LAB
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_REPOSITORY=$(cd "$LAB_DIR/../.." && pwd)

lab_die() {
  echo "lab: $*" >&2
  exit 1
}

lab_need_root() {
  [ "$(id -u)" = 0 ] || lab_die "namespaces need root: run it with sudo"
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds_since() { awk "BEGIN{printf \"%.1f\", ($(now_ms) - $1) / 1000}"; }

# await SECONDS COMMAND...: until COMMAND succeeds; fails when it has not within that time.
await() {
  local deadline=$((${EPOCHREALTIME/[.,]/} + $(awk "BEGIN{printf \"%d\", $1 * 1000000}")))
  shift
  until ("$@") >/dev/null 2>&1; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# lab_node NAME: a host without any interface but lo.
lab_node() {
  local name=$1 state=$LAB_STATE/$1 holder init
  mkdir -p "$state"
  setsid unshare --fork --kill-child --pid --mount-proc --net --mount --uts -- \
    bash "$LAB_DIR/node-init.sh" "$name" "$state" "$LAB_REPOSITORY" </dev/null >"$state/init.log" 2>&1 &
  holder=$!
  disown
  await 10 test -e "$state/ready" || lab_die "node $name did not start: $(cat "$state/init.log")"
  init=$(<"/proc/$holder/task/$holder/children")
  init=${init// /}
  echo "$init $(lab_inode "$init")" >"$state/init"
  ip netns attach "$LAB-$name" "$init"
}

lab_inode() { stat -Lc %i "/proc/$1/ns/net" 2>/dev/null; }

# The host's process id of a node's process 1; fails when the node is gone (and its number perhaps another's).
lab_init_of() {
  local init inode
  read -r init inode 2>/dev/null <"$LAB_STATE/$1/init" && [ "$(lab_inode "$init")" = "$inode" ] && echo "$init"
}

lab_nodes() {
  local state
  for state in "$LAB_STATE"/*/; do
    [ -e "$state/init" ] && basename "$state"
  done
  return 0
}

# lab_exec NODE COMMAND...: in the foreground.
lab_exec() {
  local init
  init=$(lab_init_of "$1") || lab_die "no node $1 in lab $LAB (is it up?)"
  shift
  nsenter --target "$init" --net --mount --uts --pid -- "$@"
}

# lab_spawn NODE NAME COMMAND...: a daemon; its output goes to NODE/NAME.log, its number (within the node) to NODE/NAME.pid.
lab_spawn() {
  local node=$1 name=$2
  shift 2
  # shellcheck disable=SC2016 # expanded in the node
  lab_exec "$node" bash -c 'file=$1; shift; setsid "$@" </dev/null >>"$file.log" 2>&1 & echo $! >"$file.pid"' \
    lab_spawn "$LAB_STATE/$node/$name" "$@"
}

# lab_signal NODE NAME SIGNAL: to a daemon that lab_spawn started.
lab_signal() {
  lab_exec "$1" kill -"$3" "$(<"$LAB_STATE/$1/$2.pid")"
}

lab_running() {
  [ -e "$LAB_STATE/$1/$2.pid" ] && lab_exec "$1" kill -0 "$(<"$LAB_STATE/$1/$2.pid")" 2>/dev/null
}

# lab_stop NODE NAME [SIGNAL]: and wait until it is gone.
lab_stop() {
  lab_running "$1" "$2" || return 0
  lab_signal "$1" "$2" "${3:-TERM}"
  await 10 lab_not_running "$1" "$2" || lab_die "$2 on $1 does not stop"
}

lab_not_running() { ! lab_running "$1" "$2"; }

# lab_switch NAME: a node whose bridge br0 is a switch.
lab_switch() {
  lab_node "$1"
  lab_exec "$1" ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  lab_exec "$1" ip link set dev br0 up
}

# lab_wire NODE INTERFACE SWITCH [ADDRESS/LENGTH]: an interface of NODE whose other end is a port of SWITCH.
lab_wire() {
  local node=$1 interface=$2 switch=$3 port=$1
  ! lab_exec "$switch" test -e "/sys/class/net/$port" || port=${node:0:8}.${interface:0:6}
  ip link add "$interface" netns "$(lab_init_of "$node")" type veth peer name "$port" netns "$(lab_init_of "$switch")"
  lab_plug "$node" "$interface" "$switch" "$port" "${4:-}"
}

# lab_plug NODE INTERFACE SWITCH PORT [ADDRESS/LENGTH]: puts both ends of a new wire to use.
lab_plug() {
  local node=$1 interface=$2 switch=$3 port=$4
  # Frames that XDP sends on leave unfinished checksums unfinished.
  lab_exec "$node" ethtool -K "$interface" tx off >/dev/null
  lab_exec "$switch" ip link set dev "$port" master br0 up
  [ "$LAB_MODE" != native ] || lab_pass_program "$switch" "$port"
  [ -z "${5:-}" ] || lab_exec "$node" ip address add "$5" dev "$interface"
  lab_exec "$node" ip link set dev "$interface" up
}

# veth delivers frames sent by a native XDP program only to an end that has a program of its own.
lab_pass_program() {
  local object=$LAB_STATE/pass.o
  [ -e "$object" ] || clang -O2 -target bpf -x c -c - -o "$object" <<'C'
__attribute__((section("xdp"), used)) int pass(void *frame) { return 2; /* XDP_PASS */ }
char _license[] __attribute__((section("license"))) = "GPL";
C
  lab_exec "$1" ip link set dev "$2" xdpdrv obj "$object" sec xdp
}

# lab_down: ends every node of this lab and removes what it made. Safe to call twice, or after half a start.
lab_down() {
  local state node init
  [ -d "$LAB_STATE" ] || return 0
  for state in "$LAB_STATE"/*/; do
    [ -d "$state" ] || continue
    node=$(basename "$state")
    if init=$(lab_init_of "$node"); then
      kill -9 "$init" 2>/dev/null || true
      await 10 test ! -d "/proc/$init" || echo "lab: node $node does not end" >&2
    fi
    [ ! -e "/run/netns/$LAB-$node" ] || ip netns del "$LAB-$node"
  done
  rm -rf "$LAB_STATE"
  rmdir "$LAB_ROOT" 2>/dev/null || true
}
