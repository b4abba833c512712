# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What happens to director-1, the MASTER, and how each is measured. An event begins with director-1 MASTER, both directors
# running; settle brings that about again.
# shellcheck disable=SC2034,SC2154 # what run.sh has set, or uses
ALL_EVENTS=(control stop kill_all kill_vrrp kill_parent hang carrier freeze)

# --- measuring ---------------------------------------------------------------------------------------------------------

# Only as much before the event as the prober needs; at a random moment between two advertisements.
probe_start() {
  local services=("director=$ECHO_PORT") out=$LAB_STATE/probe.out
  [ "$KIND" != xdirector ] || services+=("balanced=$BALANCED_PORT")
  rm -f "$LAB_STATE/probe.in" "$out"
  mkfifo "$LAB_STATE/probe.in"
  lab_exec client chrt -f 20 "$BUILD/tests/bench/failover_probe" eth0 "$VIP" "${services[@]}" \
    <"$LAB_STATE/probe.in" >"$out" &
  probe=$!
  exec {probe_in}>"$LAB_STATE/probe.in"
  await 10 grep -q ready "$out" || lab_die "the VIP does not answer"
  sleep "$(awk "BEGIN {srand($RANDOM); print 0.3 + rand() * $INTERVAL}")"
}

# event NODE COMMAND: the prober is told in the same breath.
event() {
  # shellcheck disable=SC2016 # expanded in the node
  lab_exec "$1" bash -c 'echo "event $EPOCHREALTIME"; eval "$1" >/dev/null' event "$2" >&"$probe_in"
}

# probe_end NAME [JQ_OBJECT]: one more line in the results.
probe_end() {
  echo end >&"$probe_in"
  wait "$probe"
  exec {probe_in}>&-
  jq -c --arg kind "$KIND" --arg event "$1" --argjson interval "$INTERVAL" --argjson version "$VERSION" \
    --arg load "$(cut -d' ' -f1 /proc/loadavg)" --argjson arp "$(arp_answers)" --argjson macs "$(macs)" \
    "{kind: \$kind, event: \$event, interval: \$interval, version: \$version, load: \$load, arp: \$arp, macs: \$macs}
      + . + ${2:-{\}}" < <(tail -1 "$LAB_STATE/probe.out") | tee -a "$results" |
    jq -r -L "$here" 'include "run"; line'
}

# Asked by another than the client, whose own cache stays as the directors made it.
arp_answers() { lab_exec real-1 "$TEST_SUPPORT/arp_probe" eth0 "$VIP" --requests 200 --wait-ms 5; }

mac_of() { lab_exec "$1" cat /sys/class/net/enp1s0/address; }
macs() { jq -nc --arg one "$(mac_of director-1)" --arg two "$(mac_of director-2)" '{"director-1": $one, "director-2": $two}'; }

director_1_is_master() { has_vip director-1 && has_no_vip director-2; }
director_2_took_over() { has_vip director-2; }

# settle: director-1 started afresh (so that no earlier crash counts against it) and MASTER.
settle() {
  lab_exec switch ip link set dev director-1 up
  ! runs director-1 || stop director-1
  [ "$KIND" != keepalived ] || lab_exec director-1 ip address flush dev enp1s0 to "$VIP/32" # what a kill left behind
  start director-1
  await 40 director_1_is_master || lab_die "director-1 does not become MASTER"
}

# --- the events --------------------------------------------------------------------------------------------------------

# Nothing happens: what the instrument sees by itself.
event_control() {
  probe_start
  event director-1 :
  sleep 6
  probe_end control
}

# A clean stop, and the failback when it is started again.
event_stop() {
  local pid
  pid=$(processes director-1 parent)
  probe_start
  event director-1 "kill -TERM $pid"
  await 15 director_2_took_over
  sleep 1.5
  probe_end stop
  await 10 lab_not_running director-1 unit
  probe_start
  event director-1 :
  start director-1
  await 40 director_1_is_master
  sleep 1.5
  probe_end failback
}

# Everything dies, and nothing starts it again.
event_kill_all() {
  local pids
  pids="$(<"$LAB_STATE/director-1/unit.pid") $(processes director-1 all)"
  probe_start
  event director-1 "kill -STOP $pids; kill -KILL $pids" # stopped first: nobody sees the others die
  await 15 director_2_took_over
  sleep 1.5
  probe_end kill_all
}

event_kill_vrrp() { kill_one vrrp; }
event_kill_parent() { kill_one parent; }

# Six seconds: more than a BACKUP's patience, and the time in which keepalived settles again.
kill_one() {
  local pid
  pid=$(processes director-1 "$1")
  probe_start
  event director-1 "kill -KILL $pid"
  sleep 6
  probe_end "kill_$1"
}

# The VRRP process stands still for 8 s, unless it is replaced meanwhile.
event_hang() {
  local pid replaced=null began
  pid=$(processes director-1 vrrp)
  probe_start
  event director-1 "kill -STOP $pid"
  began=$(now_ms)
  if await 6 another_vrrp_process "$pid"; then
    replaced=$(($(now_ms) - began))
    sleep 4
  fi
  probe_end hang "{replaced_ms: $replaced}"
  lab_exec director-1 kill -CONT "$pid" 2>/dev/null || true
  sleep 1
}
another_vrrp_process() {
  local now
  now=$(processes director-1 vrrp)
  [ -n "$now" ] && [ "$now" != "$1" ]
}

# What sets the flag "up" of director-1's port of the switch, without a program that would have to start first.
cable_flag() { echo "flags=/sys/class/net/director-1/flags; echo \$((\$(<\$flags) $1)) >\$flags"; }

# The cable is out, and in again.
event_carrier() {
  probe_start
  event switch "$(cable_flag '& ~1')"
  await 15 director_2_took_over
  sleep 1.5
  probe_end carrier
  probe_start
  event switch "$(cable_flag '| 1')"
  await 40 director_1_is_master
  sleep 1.5
  probe_end carrier_back
}

# All processes of director-1 stand still for 10 s (its kernel goes on), then go on.
event_freeze() {
  local group began
  sleep 6 # past the second announcement of a new MASTER, which would come to the help of the thawed one
  group=$(freezer_make)
  host_processes director-1 | while read -r pid; do echo "$pid" >"$group/cgroup.procs"; done
  probe_start
  began=$(now_ms)
  freezer_event 1
  await 15 director_2_took_over
  sleep 1.5
  probe_end freeze
  probe_start
  await 12 test_since "$began" 10000
  freezer_event 0
  await 40 director_1_is_master
  sleep 2
  probe_end thaw
  freezer_remove
}
test_since() { [ $(($(now_ms) - $1)) -ge "$2" ]; }

freezer_group() { echo "$(findmnt -nt cgroup2 -o TARGET | head -1)/xdirector-$LAB"; }
freezer_make() {
  mkdir "$(freezer_group)"
  freezer_group
}
freezer_event() { # 1|0
  echo "event $EPOCHREALTIME" >&"$probe_in"
  echo "$1" >"$(freezer_group)/cgroup.freeze"
}
# Thawed, and its processes back where they came from.
freezer_remove() {
  local group
  group=$(freezer_group)
  [ -d "$group" ] || return 0
  echo 0 >"$group/cgroup.freeze"
  await 5 freezer_dissolve "$group"
}
freezer_dissolve() {
  local pid
  for pid in $(<"$1/cgroup.procs"); do echo "$pid" >"${1%/*}/cgroup.procs"; done
  rmdir "$1"
}
