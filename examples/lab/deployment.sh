# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The deployments on nodes.sh: their hosts, the daemons that run there, and how to look at them.
#
#   reference     two directors, two real servers, a client
#   crossed       the same with a second virtual address: each director is MASTER of one and backs the other up
#   two-machines  two directors that are the real servers, too, and a client
#
# Environment: XDIRECTOR, the binary (default: the release build of this repository).

XDIRECTOR=${XDIRECTOR:-$LAB_REPOSITORY/build/release/controller/xdirector}
VIP=192.168.100.111
VIP_2=192.168.100.112 # of crossed
FTP_PORT=9814
REST_PORT=9826

# Names and addresses of the real servers, in the same order.
REAL_SERVERS="real-1 real-2"
REAL_ADDRESSES="192.168.100.34 192.168.100.35"

# deployment_up [crossed|two-machines]
deployment_up() {
  mkdir -p "$LAB_STATE"
  lab_switch switch
  deployment_host director-1 enp1s0 192.168.100.244/24
  deployment_host director-2 enp1s0 192.168.100.145/24
  deployment_host client eth0 192.168.100.31/24
  case ${1:-reference} in
    reference | crossed)
      deployment_host real-1 eth0 192.168.100.34/24
      deployment_host real-2 eth0 192.168.100.35/24
      ;;
    two-machines)
      REAL_SERVERS="director-1 director-2"
      REAL_ADDRESSES="192.168.100.244 192.168.100.145"
      ;;
  esac
  local node
  for node in director-1 director-2; do
    install -m 600 "$LAB_DIR/../${1:-reference}/$node.json" "$LAB_STATE/$node/xdirector.json"
  done
  for node in $REAL_SERVERS; do
    real_server_prepare "$node"
    real_server_start "$node"
    [ "${1:-}" != crossed ] || lab_exec "$node" "$XDIRECTOR" real-server add "$VIP_2" >>"$LAB_STATE/$node/real-server.log"
  done
}

deployment_host() {
  lab_node "$1"
  lab_wire "$1" "$2" switch "$3"
}

# --- real servers: nginx on 9826, vsftpd on 9814 ---------------------------------------------------------------------

real_server_prepare() {
  local state=$LAB_STATE/$1
  real_server_files "$1"
  rest_config "$1" >"$state/nginx.conf"
  ftp_config "$1" >"$state/vsftpd.conf"
  case $1 in
    director-*) ;; # xdirector itself sees to the VIP
    *) lab_exec "$1" "$XDIRECTOR" real-server add "$VIP" >>"$state/real-server.log" ;;
  esac
}

# real_server_files NAME: what it serves: its name, a slow answer (half a second), a large file, a place for uploads.
real_server_files() {
  local state=$LAB_STATE/$1
  mkdir -p "$state/www" "$state/ftp/incoming"
  echo "$1" | tee "$state/www/index.html" >"$state/ftp/host"
  head -c 12000 /dev/zero | tr '\0' . | sed "1s/^/$1 /" >"$state/www/slow"
  truncate -s 64M "$state/www/large" "$state/ftp/large"
  chown ftp: "$state/ftp/incoming"
}

rest_config() {
  cat <<CONF
daemon off;
pid /run/nginx.pid;
error_log stderr warn;
worker_processes 1;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  default_type text/plain;
  client_body_temp_path /run/nginx-body; proxy_temp_path /run/nginx-proxy; fastcgi_temp_path /run/nginx-fastcgi;
  uwsgi_temp_path /run/nginx-uwsgi; scgi_temp_path /run/nginx-scgi;
  server {
    listen $REST_PORT backlog=4096;
    root $LAB_STATE/$1/www;
    location = /slow { limit_rate 8000; }
  }
}
CONF
}

ftp_config() {
  cat <<CONF
listen=YES
background=NO
listen_port=$FTP_PORT
pasv_enable=YES
pasv_min_port=8000
pasv_max_port=10000
pasv_address=$VIP
connect_from_port_20=NO
anonymous_enable=YES
no_anon_password=YES
anon_root=$LAB_STATE/$1/ftp
write_enable=YES
anon_upload_enable=YES
local_enable=NO
ftpd_banner=$1
secure_chroot_dir=/run/vsftpd
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
CONF
}

await_listening() { # NODE DAEMON PORT
  await 5 listens "$1" "$3" || lab_die "$2 on $1 does not listen on port $3: $(cat "$LAB_STATE/$1/$2.log")"
}
listens() { lab_exec "$1" ss -Hltn "sport = :$2" | grep LISTEN; }

real_server_start() {
  rest_start "$1"
  ftp_start "$1"
}

rest_start() {
  lab_spawn "$1" nginx nginx -c "$LAB_STATE/$1/nginx.conf"
  await_listening "$1" nginx "$REST_PORT"
}
rest_stop() { lab_stop "$1" nginx "${2:-TERM}"; }

ftp_start() {
  lab_exec "$1" mkdir -p /run/vsftpd
  lab_spawn "$1" vsftpd vsftpd "$LAB_STATE/$1/vsftpd.conf"
  await_listening "$1" vsftpd "$FTP_PORT"
}
ftp_stop() { lab_stop "$1" vsftpd "${2:-TERM}"; }

# --- directors -------------------------------------------------------------------------------------------------------

# The capabilities that the systemd unit leaves to the director, as setpriv wants them.
unit_capabilities() {
  sed -n 's/^CapabilityBoundingSet=//p' "$LAB_DIR/../xdirector.service" | tr ' ' '\n' |
    sed 's/^CAP_/+/' | tr '[:upper:]' '[:lower:]' | paste -sd,
}

# director_start NODE [OPTION...]: as its systemd unit would: with its capabilities, and again 0.1 s after it died.
# DIRECTOR_ENVIRONMENT may hold more NAME=VALUE words for it.
director_start() {
  local node=$1
  shift
  # shellcheck disable=SC2016,SC2086 # expanded in the node; several words
  lab_spawn "$node" unit bash -c 'mkdir -p -m 700 /run/xdirector /var/lib/xdirector
    ulimit -l unlimited 2>/dev/null || true # where this machine lets us
    while :; do
      "$@" && status=0 || status=$?
      echo "unit: exit $status"
      [ $status != 0 ] && [ $status != 78 ] || exit $status
      sleep "${DIRECTOR_RESTART_SEC:-0.1}"
    done' unit env ${DIRECTOR_ENVIRONMENT:-} setpriv --bounding-set "-all,$(unit_capabilities)" --no-new-privs \
    "$XDIRECTOR" run --config "$LAB_STATE/$node/xdirector.json" --xdp-mode "$LAB_MODE" "$@"
}

# director_processes NODE [ROLE]: numbers (in the node) of the parent (ROLE run) or a worker (ROLE worker vrrp, ...).
director_processes() {
  lab_exec "$1" pgrep -f "^[^ ]*xdirector ${2:-}"
}

# director_signal NODE SIGNAL [ROLE]
director_signal() {
  local pids
  pids=$(director_processes "$1" "${3-run}") || return 1
  # shellcheck disable=SC2086 # several numbers
  lab_exec "$1" kill -"$2" $pids
}

# director_kill NODE: everything at once, kill -9, with nobody to start it again.
director_kill() {
  lab_signal "$1" unit KILL
  director_signal "$1" KILL "" 2>/dev/null || true # a worker may have followed its parent before we reach it
  await 5 director_is_dead "$1" || lab_die "xdirector on $1 does not die"
}
director_is_dead() { ! director_processes "$1"; }

# director_stop NODE: a clean stop.
director_stop() {
  director_signal "$1" TERM && await 10 lab_not_running "$1" unit
}

director_status() { lab_exec "$1" "$XDIRECTOR" status "${@:2}"; }

# has_vip NODE: the node's kernel has the VIP on the VRRP interface.
has_vip() { lab_exec "$1" ip -4 -o address show dev enp1s0 | grep -F " $VIP/" >/dev/null; }
has_no_vip() { ! has_vip "$1"; }

# has_vip_on_lo NODE: as a real server has it, or a director that is one, while it is not MASTER.
has_vip_on_lo() { lab_exec "$1" ip -4 -o address show dev lo | grep -F " $VIP/32" >/dev/null; }
has_no_vip_on_lo() { ! has_vip_on_lo "$1"; }

# is_master NODE: it says so, and has the VIP.
is_master() {
  director_status "$1" --json | jq -e 'all(.vrrp_instances[]; .state == "MASTER")' >/dev/null && has_vip "$1"
}

# real_server_is NODE SERVICE ADDRESS STATE: what the director's status says (up, down, ...).
real_server_is() {
  director_status "$1" --json |
    jq -e --arg service "$2" --arg address "$3" --arg state "$4" \
      'any(.virtual_servers[] | select(.name == $service) | .real_servers[];
           .address == $address and .health == $state)' >/dev/null
}

all_real_servers_up() {
  local service address
  for service in ftp rest; do
    for address in $REAL_ADDRESSES; do
      real_server_is "$1" "$service" "$address" up || return 1
    done
  done
}

# --- client ----------------------------------------------------------------------------------------------------------

# rest: one request; prints the real server's name.
rest() { lab_exec client curl -sS --max-time "${REST_TIMEOUT:-3}" "http://$VIP:$REST_PORT/"; }

# rest_hosts N: the answers of N requests, one a line.
rest_hosts() {
  local _
  for _ in $(seq "$1"); do rest || echo "(no answer)"; done
}

# ftp_session FILE...: one control connection, one passive data connection per file; prints the files.
ftp_session() {
  local file urls=()
  for file in "$@"; do urls+=("ftp://$VIP:$FTP_PORT/$file"); done
  lab_exec client curl -sS --max-time 20 --disable-epsv "${urls[@]}"
}

# alternates LINES: both names occur, and never one twice in a row.
alternates() { [ "$(uniq <<<"$1" | wc -l)" = "$(wc -l <<<"$1")" ] && [ "$(sort -u <<<"$1" | paste -sd' ')" = "$REAL_SERVERS" ]; }

alternates_now() { alternates "$(rest_hosts 6)"; }

# one_host N LINES: N lines, all the same real server.
one_host() { [ "$(wc -l <<<"$2")" = "$1" ] && [[ " $REAL_SERVERS " = *" $(sort -u <<<"$2") "* ]]; }
