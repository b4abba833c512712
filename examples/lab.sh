#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The reference deployment in network namespaces of this machine: two directors, two real servers, a client.
#
#   sudo examples/lab.sh demo                 install what is missing, build, raise, show, tear down
#   sudo examples/lab.sh up [native|generic]  raise it and leave it for looking around
#   sudo examples/lab.sh up crossed ...       the same of examples/crossed: each director MASTER of an address of its own
#   sudo examples/lab.sh up two-machines ...  the same of docs/two-machines.md: the directors are the real servers
#   sudo examples/lab.sh shell NODE           a shell on director-1, director-2, real-1, real-2, client or switch
#   sudo examples/lab.sh status               nodes, and what the MASTER's `xdirector status` says
#   sudo examples/lab.sh down
#
# Environment: XDIRECTOR_LAB, prefix of the namespaces' names (default xd); XDIRECTOR, a binary to use instead of
# building one; XDIRECTOR_LAB_MODE, native (default) or generic XDP.
set -euo pipefail
own_binary=${XDIRECTOR:-}
lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/lab" && pwd)
# shellcheck source=examples/lab/nodes.sh
. "$lab_dir/nodes.sh"
# shellcheck source=examples/lab/deployment.sh
. "$lab_dir/deployment.sh"

usage() {
  sed -n '3,/^set /{s/^# \{0,1\}//;/^set /d;p}' "${BASH_SOURCE[0]}"
  exit 2
}

prepare() {
  "$lab_dir/setup.sh" lab
  [ -z "$own_binary" ] || return 0
  echo "building $XDIRECTOR"
  local log
  log=$(mktemp)
  if ! (cd "$LAB_REPOSITORY" && cmake --preset release -DXDIRECTOR_TESTS=OFF && ninja -C build/release) >"$log" 2>&1; then
    tail -40 "$log" >&2
    rm -f "$log"
    lab_die "the build failed"
  fi
  rm -f "$log"
}

refuse_if_up() {
  [ ! -d "$LAB_STATE" ] || lab_die "lab $LAB is up already, or was left half-way: 'lab.sh down' removes it"
}

up() {
  local deployment=reference
  case ${1:-} in
    crossed | two-machines)
      deployment=$1
      shift
      ;;
  esac
  case ${1:-$LAB_MODE} in
    native | generic) LAB_MODE=${1:-$LAB_MODE} ;;
    *) usage ;;
  esac
  refuse_if_up
  prepare
  trap lab_down EXIT
  deployment_up "$deployment"
  director_start director-1
  director_start director-2
  await 15 has_vip director-1 || lab_die "director-1 did not become MASTER: $(tail -5 "$LAB_STATE/director-1/unit.log")"
  trap - EXIT
  echo "up. Try: curl http://$VIP:$REST_PORT/ from 'lab.sh shell client', or 'lab.sh status'"
}

demo() {
  refuse_if_up
  prepare
  trap lab_down EXIT
  trap 'exit 130' INT TERM HUP
  # shellcheck source=examples/lab/demo.sh
  . "$lab_dir/demo.sh"
  demo_tell
}

shell_on() {
  [ $# = 1 ] || usage
  PS1="$1 (lab $LAB) # " PATH="$(dirname "$XDIRECTOR"):$PATH" lab_exec "$1" bash --norc -i
}

status() {
  local node
  [ -d "$LAB_STATE" ] || lab_die "lab $LAB is not up"
  for node in $(lab_nodes); do
    printf '%-12s %s\n' "$node" "$(lab_exec "$node" ip -4 -br address | awk '{$2=""; print}' | paste -sd' ')"
  done
  for node in director-1 director-2; do
    if has_vip "$node"; then
      echo
      director_status "$node"
    fi
  done
}

case ${1:-} in
  demo | up | down | shell | status) lab_need_root ;;
  *) usage ;;
esac
case $1 in
  demo) demo ;;
  up) up "${@:2}" ;;
  down) lab_down ;;
  shell) shell_on "${@:2}" ;;
  status) status ;;
esac
