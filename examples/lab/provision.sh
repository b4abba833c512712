#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes this (virtual) machine a host of the reference deployment. Usage: provision.sh director|real-server|client
# ADDRESS [REPOSITORY]; for machines that are for nothing else: it configures the system's own nginx and vsftpd.
set -euo pipefail
role=$1 address=$2 repository=${3:-/vagrant}
lab=$repository/examples/lab
# shellcheck source=examples/lab/nodes.sh
. "$lab/nodes.sh"
# shellcheck source=examples/lab/deployment.sh
. "$lab/deployment.sh"

build_and_install() {
  "$lab/setup.sh" build
  cmake -S "$repository" -B /var/tmp/xdirector -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DXDIRECTOR_TESTS=OFF >/dev/null
  ninja -C /var/tmp/xdirector --quiet
  cmake --install /var/tmp/xdirector --prefix /usr >/dev/null
}

# The reference configuration; only the interface's name is this machine's own.
director() {
  local interface
  interface=$(ip -o -4 address show | awk -v address="$address/" 'index($4, address) == 1 {print $2}')
  install -d -m 700 /etc/xdirector
  sed "s/\"enp1s0\"/\"$interface\"/" "$repository/examples/reference/$(hostname).json" >/etc/xdirector/xdirector.json
  chmod 600 /etc/xdirector/xdirector.json
  install -m 644 "$repository/examples/xdirector.service" /etc/systemd/system/
  systemctl daemon-reload
  systemctl enable --now xdirector
}

real_server() {
  "$lab/setup.sh" servers
  LAB_STATE=/srv/xdirector
  real_server_files "$(hostname)"
  rest_config "$(hostname)" | grep -v '^daemon off' >/etc/nginx/nginx.conf
  ftp_config "$(hostname)" | sed 's|/run/vsftpd$|/run/vsftpd/empty|' >/etc/vsftpd.conf
  systemctl enable nginx vsftpd
  systemctl restart nginx vsftpd
  xdirector real-server add "$VIP"
}

case $role in
  director) build_and_install && director ;;
  real-server) build_and_install && real_server ;;
  client) DEBIAN_FRONTEND=noninteractive apt-get install -qq -y curl lftp >/dev/null ;;
  *) lab_die "usage: provision.sh director|real-server|client ADDRESS [REPOSITORY]" ;;
esac
