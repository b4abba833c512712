#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What systemd is told: ready once it forwards, alive while its loop turns, stopping at the end; nothing when it hangs.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

socket=/run/notify
told() { grep -q " $1" "$LAB_STATE/director-1/notify.log"; }
alive_count() { grep -c ' WATCHDOG=1' "$LAB_STATE/director-1/notify.log" || true; }
alive_more_than() { [ "$(alive_count)" -gt "$1" ]; }
attached() { lab_exec director-1 ip -d link show dev enp1s0 | grep xdp >/dev/null; }

deployment_up
hurry director-1
lab_spawn director-1 notify "$TEST_SUPPORT/notify_listener" "$socket"
await 5 lab_exec director-1 test -S "$socket"
DIRECTOR_ENVIRONMENT="NOTIFY_SOCKET=$socket WATCHDOG_USEC=1000000" director_start director-1
check_within 5 "READY=1" told READY=1
check "the program is attached by then" attached
check_within 3 "it says that it is alive, more than once a second" alive_more_than 2

director_signal director-1 STOP
before=$(alive_count)
check "stopped, it does not" never_within 1.5 alive_more_than "$((before + 1))"
director_signal director-1 CONT
check_within 2 "going on, it does again" alive_more_than "$((before + 1))"

check "a reload succeeds" reload director-1
director_signal director-1 TERM
check_within 2 "SIGTERM: it ends" lab_not_running director-1 unit
check "STOPPING=1" told STOPPING=1
finish
