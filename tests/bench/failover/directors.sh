# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The two directors under comparison, each as its unit runs it: how it is started, and the numbers of its processes.
#
# KIND is keepalived or xdirector; INTERVAL its advert_int; VERSION that of VRRP. Version 2 with PASS, as in the reference
# deployment. Both start again RESTART seconds after they died, and not after they ended properly.
# shellcheck disable=SC2034 # run.sh uses it
ECHO_PORT=7000     # answered by whichever director has the VIP
BALANCED_PORT=7001 # a virtual server of xdirector, answered by the real servers
RESTART=0.5

# --- their configuration -----------------------------------------------------------------------------------------------

keepalived_config() { # NODE ADDRESS PRIORITY
  local authentication=''
  [ "$VERSION" != 2 ] || authentication='authentication { auth_type PASS
    auth_pass xxxx }'
  cat >"$LAB_STATE/$1/keepalived.conf" <<CONF
global_defs { router_id T_LVS }
vrrp_instance VI_1 {
  state BACKUP
  interface enp1s0
  virtual_router_id 100
  mcast_src_ip $2
  priority $3
  version $VERSION
  advert_int $INTERVAL
  $authentication
  virtual_ipaddress { $VIP }
}
CONF
}

# The reference configuration with one more service, in UDP (whose checks are REST's, and take a second).
# shellcheck disable=SC2016 # jq's, not the shell's
xdirector_config() { # NODE
  local file=$LAB_STATE/$1/xdirector.json
  jq --argjson interval "$INTERVAL" --argjson version "$VERSION" --arg vip "$VIP" \
    --argjson port "$BALANCED_PORT" --argjson checked "$REST_PORT" '
    .vrrp_instances[0] += {advert_int: $interval}
    | if $version == 3 then .vrrp_instances[0] |= (.version = 3 | del(.authentication)) else . end
    | .virtual_servers += [{name: "udp", address: $vip, port: $port, protocol: "UDP", lb_algo: "wrr", lb_kind: "DR",
        real_servers: [("192.168.100.34", "192.168.100.35") as $address | {address: $address, port: $port, weight: 1,
          checks: [{type: "tcp", connect_port: $checked}]}]}]
    | .virtual_servers[].delay_loop = 0.5
    | .virtual_servers[].real_servers[].checks[] += {connect_timeout: 1, retry: 1, delay_before_retry: 0.2}
    ' "$LAB_DIR/../reference/$1.json" >"$file.new"
  install -m 600 "$file.new" "$file"
}

configure() {
  keepalived_config director-1 192.168.100.244 100
  keepalived_config director-2 192.168.100.145 50
  xdirector_config director-1
  xdirector_config director-2
}

# --- their processes ---------------------------------------------------------------------------------------------------

start() { # NODE
  export DIRECTOR_RESTART_SEC=$RESTART
  "start_$KIND" "$1"
}

start_xdirector() { director_start "$1" --keep-forwarding; }

start_keepalived() {
  # shellcheck disable=SC2016 # expanded in the node
  lab_spawn "$1" unit bash -c 'while ! "$@"; do sleep "$DIRECTOR_RESTART_SEC"; done' unit keepalived --dont-fork \
    --log-console --vrrp --no-syslog --use-file "$LAB_STATE/$1/keepalived.conf" --pid /run/keepalived.pid \
    --vrrp_pid /run/vrrp.pid
}

# Numbers within the node, of all its processes, the parent alone, the VRRP process alone. (Not of what restarts it.)
processes() { # NODE all|parent|vrrp
  case $KIND-$2 in
    xdirector-all) director_processes "$1" ;;
    xdirector-parent) director_processes "$1" run ;;
    xdirector-vrrp) director_processes "$1" "worker vrrp" ;;
    keepalived-all) lab_exec "$1" pgrep -x keepalived ;;
    keepalived-parent) lab_exec "$1" cat /run/keepalived.pid ;;
    keepalived-vrrp) lab_exec "$1" cat /run/vrrp.pid ;;
  esac | paste -sd' '
}

# The same on the host: of everything, and what restarts it.
host_processes() { # NODE
  local init
  init=$(lab_init_of "$1")
  pgrep --ns "$init" --nslist pid -f "^[^ ]*(xdirector|keepalived) |^bash -c .* unit "
}

runs() { processes "$1" all | grep . >/dev/null; } # NODE
runs_not() { ! runs "$1"; }

stop() { # NODE
  local pid
  pid=$(processes "$1" parent)
  lab_exec "$1" kill -TERM "$pid"
  await 10 lab_not_running "$1" unit || lab_die "$KIND on $1 does not stop"
}
