# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For every test in tests/net: the lab, assertions, and an end that tells what failed and leaves nothing behind.
#
# A test sources this, then says what must hold with check and check_within, and ends with `finish`. ctest sets
# XDIRECTOR (the binary), XDIRECTOR_LAB (a prefix of the test's own), XDIRECTOR_LAB_MODE (native or generic),
# TEST_SUPPORT (folder of http_load and arp_probe) and RAN (a file that says: this one was not skipped).
set -euo pipefail
net_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$net_dir/../.." && pwd)
: "${XDIRECTOR:=$repository/build/dev/controller/xdirector}" "${XDIRECTOR_LAB:=xdt$$}"
: "${TEST_SUPPORT:=$repository/build/dev/tests/support}"
export XDIRECTOR XDIRECTOR_LAB
# shellcheck source=examples/lab/nodes.sh
. "$repository/examples/lab/nodes.sh"
# shellcheck source=examples/lab/deployment.sh
. "$repository/examples/lab/deployment.sh"

# shellcheck source=tests/support/claims.sh
. "$repository/tests/support/claims.sh"

at_end() {
  [ "$1" = 0 ] || net_context
  lab_down
}

net_context() {
  local log
  for log in "$LAB_STATE"/*/*.log; do
    [ -s "$log" ] || continue
    echo "--- ${log#"$LAB_STATE/"}"
    tail -40 "$log"
  done
}

[ "$(id -u)" = 0 ] || skip "namespaces need root"
for tool in ip ethtool curl jq nginx vsftpd clang unshare nsenter; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (examples/lab/setup.sh all)"
done
claims_begin
lab_down # what an earlier run of the same name could not remove, being killed
[ -z "${RAN:-}" ] || : >"$RAN"

# --- common scenes -----------------------------------------------------------------------------------------------------

# The reference configuration with checks that take a second instead of twenty.
hurry() {
  set_config "$1" '.virtual_servers[].delay_loop = 0.5
    | .virtual_servers[].real_servers[].checks[] += {connect_timeout: 1, retry: 1, delay_before_retry: 0.2}'
}

# set_config NODE JQ_FILTER: changes the node's configuration file (not yet the daemon).
set_config() {
  local file=$LAB_STATE/$1/xdirector.json
  jq "$2" "$file" >"$file.new"
  chmod 600 "$file.new"
  mv "$file.new" "$file"
}

# The reference deployment, both directors running, all real servers up.
reference_running() {
  deployment_up
  hurry director-1
  hurry director-2
  director_start director-1 "$@"
  director_start director-2 "$@"
  check_within 10 "director-1 is MASTER" has_vip director-1
  check_within 10 "director-1 sees all real servers up" all_real_servers_up director-1
  check_within 10 "director-2 sees all real servers up" all_real_servers_up director-2
}

# is_another NODE ROLE BEFORE: the role runs, in another process than before.
is_another() {
  local now
  now=$(director_processes "$1" "$2") && [ "$now" != "$3" ]
}

# vrrp_state_is NODE STATE [INSTANCE]: by its status; the state of all instances, or of this one.
vrrp_state_is() {
  director_status "$1" --json | jq -e --arg state "$2" --arg name "${3:-}" \
    'all(.vrrp_instances[] | select($name == "" or .name == $name); .state == $state)' >/dev/null
}

# reload NODE: SIGHUP; succeeds when the new configuration is in force.
reload() {
  local before
  before=$(reloads_begun "$1")
  director_signal "$1" HUP
  await 5 reloads_begun_is "$1" "$((before + 1))" && director_status "$1" --json | jq -e .last_reload.ok >/dev/null
}
reloads_begun() { grep -c 'reloading ' "$LAB_STATE/$1/unit.log" || true; }
reloads_begun_is() { [ "$(reloads_begun "$1")" = "$2" ]; }

# background NAME COMMAND...: on the client; `outcome NAME` waits until it ended and prints what it printed.
background() {
  local file=$LAB_STATE/$1.out
  shift
  rm -f "$file.ended"
  {
    lab_exec client "$@" >"$file" 2>&1 || true
    : >"$file.ended"
  } &
}

outcome() {
  await 90 test -e "$LAB_STATE/$1.out.ended"
  cat "$LAB_STATE/$1.out"
}

# A passive FTP download of 64 MiB that takes SECONDS; `ftp_download_completes` waits and says whether all came.
ftp_download_start() {
  background ftp-download curl -sS --disable-epsv --limit-rate "$((67108864 / $1))" -o /dev/null \
    -w '%{size_download}' "ftp://$VIP:$FTP_PORT/large"
  await 5 ftp_data_connection_is_there
}

ftp_data_connection_is_there() {
  lab_exec client ss -Htn state established dst "$VIP" | grep -v ":$FTP_PORT " | grep "$VIP:" >/dev/null
}

client_connections_reach() { [ "$(lab_exec client ss -Htn state established dst "$VIP" | wc -l)" -ge "$1" ]; }

ftp_download_completes() { is "$(outcome ftp-download)" 67108864; }

# watch_vip NODE: records every change of the VIP on NODE; `vip_was_left_alone NODE` says whether there was none.
watch_vip() {
  : >"$LAB_STATE/$1/vip-changes.log"
  lab_spawn "$1" vip-changes ip -o -4 monitor address
}

vip_was_left_alone() {
  ! grep -F " $VIP/" "$LAB_STATE/$1/vip-changes.log"
}

# arp_answers REQUESTS: one line of JSON, see tests/support/arp_probe.cpp.
arp_answers() { lab_exec client "$TEST_SUPPORT/arp_probe" eth0 "$VIP" --requests "$1"; }
