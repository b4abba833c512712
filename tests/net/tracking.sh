#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an instance tracks changes its priority or its state, and scripts and a fifo are told, each transition once.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

scripts=$LAB_STATE/director-1/scripts # with the flags that they look at, and what they write

script() { # NAME TEXT
  printf '#!/bin/sh\n%s\n' "$2" >"$scripts/$1"
  chmod 755 "$scripts/$1"
}
flag() { : >"$scripts/$1"; }
no_flag() { rm "$scripts/$1"; }

tracked_by_director_1() {
  mkdir -p "$scripts"
  chmod 755 "$LAB_STATE" "$LAB_STATE/director-1" "$scripts"
  script app "test ! -e $scripts/app-fails || { echo no answer; exit 1; }"
  script disk "test ! -e $scripts/disk-fails"
  script who "id -un; exit 1"
  script notify "echo \"\$*\" >>$scripts/told"
  printf '%s\n' 0 >"$scripts/number"
  cp /bin/sleep "$scripts/xd-app"
  set_config director-1 '
    .vrrp_scripts = [
      {name: "app", script: "SCRIPTS/app", interval: 0.2, weight: -60},
      {name: "disk", script: "SCRIPTS/disk", interval: 0.2, user: "nobody"},
      {name: "who", script: "SCRIPTS/who", interval: 0.2, user: "nobody", weight: 1}]
    | .vrrp_track_files = [{name: "number", file: "SCRIPTS/number", weight: 2}]
    | .vrrp_track_processes = [{name: "xd-app", process: "xd-app", weight: 7}]
    | .notify_fifo = "SCRIPTS/fifo"
    | .vrrp_instances[0] += {
        track_script: ["app", "disk", "who"], track_file: ["number"], track_process: ["xd-app"],
        notify: "SCRIPTS/notify \"two words\"", notify_master: "SCRIPTS/notify mine",
        notify_fault: "SCRIPTS/notify broken", notify_stop: "SCRIPTS/notify over"}
    | walk(if type == "string" then sub("SCRIPTS"; "'"$scripts"'") else . end)'
}

priority_is() { director_status director-1 --json | jq -e ".vrrp_instances[0].priority == $1" >/dev/null; }
tracker() {
  director_status director-1 --json |
    jq -r --arg name "$1" '.trackers[] | select(.name == $name) | "\(.state) \(.last_result)"'
}
told_is() { [ "$(paste -sd, "$scripts/told" 2>/dev/null)" = "$1" ]; }
told_since() { # CLAIM LINES: since the last claim
  check_within 2 "$1" told_is "$2"
  told_is "$2" || echo "      told: $(paste -sd, "$scripts/told")"
  : >"$scripts/told"
}

deployment_up
hurry director-1
hurry director-2
tracked_by_director_1
director_start director-1
director_start director-2
check_within 10 "director-1 is MASTER" is_master director-1
told_since "and has told so, in keepalived's words" \
  "two words INSTANCE VI_1 BACKUP 100,mine,two words INSTANCE VI_1 MASTER 100"
lab_spawn director-1 fifo cat "$scripts/fifo"
check "a script runs as the user that it was given" is "$(tracker who)" "down exit code 1: nobody"

echo 5 >"$scripts/number"
check_within 2 "the number in a file counts, times its weight" priority_is 110
echo 0 >"$scripts/number"
lab_spawn director-1 xd-app "$scripts/xd-app" 60
check_within 3 "a process that runs counts" priority_is 107
lab_stop director-1 xd-app KILL
check_within 1 "and one that has ended does not" priority_is 100

worker=$(director_processes director-1 "worker vrrp")
director_signal director-1 KILL "worker vrrp"
check_within 5 "a vrrp worker that was killed is back" is_another director-1 "worker vrrp" "$worker"
check_within 2 "as MASTER" is_master director-1
check "which is no news to anybody" told_is ""

flag app-fails
check_within 2 "a script that fails lowers the priority" priority_is 40
check "status says why" is "$(tracker app)" "down exit code 1: no answer"
check_within 6 "so that director-2 takes over" has_vip director-2
check_within 1 "from director-1" has_no_vip director-1
REST_TIMEOUT=1 check_within 3 "requests are answered" rest
told_since "which has told so" "two words INSTANCE VI_1 BACKUP 40"
no_flag app-fails
check_within 6 "as soon as it succeeds director-1 takes the addresses back" is_master director-1
told_since "and tells so" "mine,two words INSTANCE VI_1 MASTER 100"

flag disk-fails
check_within 2 "with weight 0 a failure is FAULT" vrrp_state_is director-1 FAULT
check_within 2 "and director-2 takes over at once" has_vip director-2
told_since "FAULT is told" "broken,two words INSTANCE VI_1 FAULT 100"
no_flag disk-fails
check_within 2 "mended, it is BACKUP" vrrp_state_is director-1 BACKUP
check_within 6 "and then MASTER" is_master director-1
told_since "each of which is told" "two words INSTANCE VI_1 BACKUP 100,mine,two words INSTANCE VI_1 MASTER 100"

script notify "sleep 0.3; echo \"\$*\" >>$scripts/told"
director_signal director-1 TERM
check_within 5 "a stop waits for its scripts" lab_not_running director-1 unit
check "which were told" told_is "over,two words INSTANCE VI_1 STOP 100"
check "the fifo had a line of each" is "$(paste -sd, "$LAB_STATE/director-1/fifo.log")" \
  'INSTANCE "VI_1" BACKUP 100,INSTANCE "VI_1" MASTER 100,'\
'INSTANCE "VI_1" BACKUP 40,INSTANCE "VI_1" MASTER 100,'\
'INSTANCE "VI_1" FAULT 100,INSTANCE "VI_1" BACKUP 100,INSTANCE "VI_1" MASTER 100,INSTANCE "VI_1" STOP 100'
finish
