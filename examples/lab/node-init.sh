#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of a lab node: makes the namespaces that `unshare` gave it look like a host of their own, then only reaps.
# Usage: node-init.sh NAME STATE_DIR REPOSITORY
set -eu
name=$1 state=$2 repository=$3

hostname "$name"
mount -t sysfs sysfs /sys # of this network namespace
mount -t bpf bpf /sys/fs/bpf

# /run is empty but for the lab's state (and the repository, should it be cloned there); /var/lib is the host's, with
# a layer of its own for what the node writes.
mount -t tmpfs -o mode=755 tmpfs /mnt
for kept in "${state%/*}" "$repository"; do
  case $kept in
    /run/*)
      mkdir -p "/mnt/${kept#/run/}"
      mount --bind "$kept" "/mnt/${kept#/run/}"
      ;;
  esac
done
mount -n --move /mnt /run
mkdir -p /run/lock /run/.var-lib/upper /run/.var-lib/work
mount -t overlay overlay -o lowerdir=/var/lib,upperdir=/run/.var-lib/upper,workdir=/run/.var-lib/work /var/lib

for which in all default; do
  echo 1 >"/proc/sys/net/ipv6/conf/$which/disable_ipv6" 2>/dev/null || true
done
ip link set dev lo up

: >"$state/ready"
sleep infinity &
wait
