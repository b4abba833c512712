#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a build, the lab and the tests need on Debian 12 or Ubuntu 24.04, and nothing that is there already.
#
# Usage: setup.sh [build|servers|lab|all]...   (default: lab = build + servers; all = lab + what the tests want)
# The servers among it (nginx, vsftpd, keepalived) are neither started nor left to start at boot; what already runs on
# this machine goes on as it is.
set -euo pipefail

build=(cmake ninja-build g++ pkg-config clang llvm bpftool libbpf-dev libnl-3-dev libnl-route-3-dev nlohmann-json3-dev
  libevent-dev libcurl4-openssl-dev libcli11-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libcap-ng-dev
  libsystemd-dev libgtest-dev libgmock-dev libbenchmark-dev)
servers=(nginx vsftpd)
lab=(iproute2 ethtool curl jq procps util-linux)
tests=(ccache keepalived frr lftp nftables tcpdump git shellcheck)
guests=(qemu-system-x86 busybox-static cpio xz-utils ipvsadm) # of tests/guest and tests/bench/guest
tools=(clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev) # where the distribution has them

say() { echo "set-up: $*"; }

installed() { [ "$(dpkg-query -Wf '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Ubuntu has no package bpftool: it comes with linux-tools.
names_here() {
  local name
  for name in "$@"; do
    if [ "$name" = bpftool ] && grep -q '^ID=ubuntu' /etc/os-release; then
      echo linux-tools-common linux-tools-generic
    else
      echo "$name"
    fi
  done
}

missing() {
  local name
  for name in "$@"; do installed "$name" || echo "$name"; done
}

available() {
  local name
  for name in "$@"; do
    apt-cache policy "$name" 2>/dev/null | grep 'Candidate: [0-9]' >/dev/null && echo "$name"
  done
  return 0
}

keep_services_from_starting() {
  [ ! -e /usr/sbin/policy-rc.d ] || return 0
  printf '#!/bin/sh\n# Made by the xdirector lab while it installs packages.\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

lists_are_old() { [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit)" ]; }

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local log fresh_servers name
  log=$(mktemp)
  mapfile -t fresh_servers < <(missing nginx vsftpd keepalived frr)
  keep_services_from_starting
  if ! apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
    tail -30 "$log" >&2
    say "apt-get could not install: $*" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  for name in "${fresh_servers[@]}"; do
    ! installed "$name" || ! command -v systemctl >/dev/null || systemctl -q disable "$name" 2>/dev/null || true
  done
}

main() {
  local wanted=() wanted_tools=() part needed wished
  for part in "${@:-lab}"; do
    case $part in
      build) wanted+=("${build[@]}") ;;
      servers) wanted+=("${servers[@]}") ;;
      lab) wanted+=("${build[@]}" "${servers[@]}" "${lab[@]}") ;;
      all)
        wanted+=("${build[@]}" "${servers[@]}" "${lab[@]}" "${tests[@]}" "${guests[@]}")
        wanted_tools=("${tools[@]}")
        ;;
      *)
        echo "usage: setup.sh [build|servers|lab|all]..." >&2
        return 2
        ;;
    esac
  done
  # shellcheck disable=SC2046 # one word per package
  mapfile -t needed < <(missing $(names_here "${wanted[@]}"))
  mapfile -t wished < <(missing "${wanted_tools[@]}")
  [ $((${#needed[@]} + ${#wished[@]})) -gt 0 ] || return 0
  command -v apt-get >/dev/null || { say "no apt-get here; please install: ${needed[*]}" >&2; return 1; }
  [ "$(id -u)" = 0 ] || { say "installing packages needs root; missing: ${needed[*]} ${wished[*]}" >&2; return 1; }
  if [ ${#needed[@]} -gt 0 ] || lists_are_old; then
    apt-get update -qq </dev/null >/dev/null 2>&1 || say "apt-get update failed; trying with the lists that are here" >&2
  fi
  mapfile -t -O ${#needed[@]} needed < <(available "${wished[@]}")
  [ ${#needed[@]} -gt 0 ] || return 0
  say "installing ${needed[*]}"
  install_packages "${needed[@]}"
}

main "$@"
