#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real keepalived as the other director: each in turn MASTER and BACKUP, version 2 with PASS authentication.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v keepalived >/dev/null || skip "keepalived is not installed"

keepalived_config() { # STATE PRIORITY
  cat >"$LAB_STATE/director-2/keepalived.conf" <<CONF
global_defs { router_id T_LVS }
vrrp_instance VI_1 {
  state $1
  interface enp1s0
  virtual_router_id 100
  mcast_src_ip 192.168.100.145
  priority $2
  advert_int 1
  authentication { auth_type PASS
    auth_pass xxxx }
  virtual_ipaddress { 192.168.100.111 }
}
CONF
}

keepalived_start() {
  lab_spawn director-2 keepalived keepalived --dont-fork --log-console --vrrp --no-syslog \
    --use-file "$LAB_STATE/director-2/keepalived.conf" --pid /run/keepalived.pid --vrrp_pid /run/vrrp.pid
}

rejected() { director_status director-1 --json | jq '[.vrrp_instances[].adverts_rejected] | add'; }

deployment_up
hurry director-1
keepalived_config BACKUP 50
director_start director-1
keepalived_start
check_within 10 "xdirector with 100 is MASTER" has_vip director-1
check "keepalived with 50 is not" has_no_vip director-2

director_stop director-1
check_within 3 "at a clean stop keepalived takes over" has_vip director-2
director_start director-1
check_within 10 "started again, xdirector preempts" has_vip director-1
check_within 3 "and keepalived gives way" has_no_vip director-2

director_kill director-1
check_within 6 "killed, keepalived takes over" has_vip director-2
answers=$(arp_answers 50)
echo "      $answers"
check "and no ARP request is answered twice" is "$(jq .twice <<<"$answers")" 0

lab_stop director-2 keepalived
director_start director-1
check_within 10 "keepalived stopped: xdirector is MASTER" has_vip director-1
keepalived_config MASTER 150
keepalived_start
check_within 10 "keepalived with 150 preempts" has_vip director-2
check_within 3 "and xdirector gives way" has_no_vip director-1
lab_stop director-2 keepalived
check_within 3 "keepalived's priority 0 is heard" has_vip director-1
check "no advertisement was rejected" is "$(rejected)" 0
finish
