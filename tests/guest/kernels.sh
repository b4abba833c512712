#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches Debian's kernels for the guests, which nothing on this machine then boots from or installs.
#
# Usage: kernels.sh VERSION...          6.1, 6.12; what is there already stays
# Into $XDIRECTOR_KERNELS (default /var/cache/xdirector-kernels): VERSION/vmlinuz and VERSION/lib/modules/RELEASE.
# Needs apt, dpkg and busybox; with lists and sources of its own, so that the machine's are not touched.
set -euo pipefail
: "${XDIRECTOR_KERNELS:=/var/cache/xdirector-kernels}" "${DEBIAN_MIRROR:=http://deb.debian.org/debian}"

# What a guest may load; the drivers of machines are left out.
modules=(--wildcards "./lib/modules/*/kernel/"{arch,crypto,fs/9p,fs/fscache,fs/netfs,fs/overlayfs,lib,net}"/*"
  "./lib/modules/*/kernel/drivers/"{block/loop,char/hw_random,virtio}"*"
  "./lib/modules/*/kernel/drivers/net/"{bonding,dummy,macvlan,net_failover,tun,veth,virtio_net}"*"
  "./lib/modules/*/modules."{builtin,builtin.modinfo,order})

die() {
  echo "kernels.sh: $*" >&2
  exit 1
}

suite_of() {
  case $1 in
    6.1) echo bookworm ;;
    6.12) echo bookworm-backports ;;
    *) die "no suite of Debian is known for Linux $1" ;;
  esac
}

# apt WORK COMMAND...: one of apt's commands that sees this suite and nothing else.
apt() {
  "$2" -qq -o Dir::Etc::sourcelist="$1/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$1/lists" \
    -o Dir::Cache="$1" -o APT::Sandbox::User=root "${@:3}" </dev/null
}

# The package that Debian's name for "the kernel" stands for, in the folder WORK.
download() {
  local suite=$1 work=$2 package
  mkdir -p "$work/lists/partial" "$work/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $DEBIAN_MIRROR $suite main" >"$work/sources.list"
  apt "$work" apt-get update >&2
  package=$(apt "$work" apt-cache depends linux-image-amd64 | sed -nE 's/.*Depends: (linux-image-[^ ]+).*/\1/p' | head -1)
  [ -n "$package" ] || die "$suite of $DEBIAN_MIRROR has no linux-image-amd64"
  (cd "$work" && apt "$work" apt-get download "$package" >&2)
}

unpack() {
  local work=$1 to=$2
  mkdir "$to"
  dpkg --fsys-tarfile "$work"/linux-image-*.deb | tar -x -C "$to" "${modules[@]}" './boot/vmlinuz-*' 2>/dev/null || true
  mv "$to"/boot/vmlinuz-* "$to/vmlinuz"
  rmdir "$to/boot"
  find "$to/lib" -name '*.ko.xz' -exec xz -d {} +
  busybox depmod -b "$to" "$(basename "$to"/lib/modules/*)"
}

for version in "$@"; do
  [ ! -e "$XDIRECTOR_KERNELS/$version" ] || continue
  suite=$(suite_of "$version")
  mkdir -p "$XDIRECTOR_KERNELS"
  work=$(mktemp -d "$XDIRECTOR_KERNELS/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  download "$suite" "$work"
  unpack "$work" "$work/$version"
  mv "$work/$version" "$XDIRECTOR_KERNELS/"
  rm -rf "$work"
done
