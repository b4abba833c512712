#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command on another kernel: in a QEMU guest whose files are this machine's, read-only beneath what it writes.
#
# Usage: boot.sh [--accel kvm|tcg|icount] [--cpus N] [--memory SIZE] [--limit SECONDS] [--nics N] KERNEL COMMAND [ARGUMENT...]
#   KERNEL    6.1 or 6.12 (kernels.sh fetches them)
#   --accel   default: tcg, QEMU's emulator, with which every machine gives the same answers; kvm is faster where it works;
#             icount: the emulator with one CPU, on which a nanosecond is one instruction
#   --limit   default 600: then the guest is ended
#   --nics    default 0: virtio network interfaces, all on one cable
# The command runs as root in this folder, with the variables XDIRECTOR*, TEST_* and GUEST_* of here. Its output is this
# script's, its exit status too; 77 says what is missing for a guest. /run is empty in the guest; what it writes is lost.
set -euo pipefail
guest_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${XDIRECTOR_KERNELS:=/var/cache/xdirector-kernels}"
accel=tcg cpus=2 memory=2G limit=600 nics=0

skip() {
  echo "SKIPPED: $*"
  exit 77
}

# Modules and what they need, in the order of loading, as paths below $1.
module_order() {
  local tree=$1 name
  shift
  for name in "$@"; do
    sed -nE "s|^([^:]*/$name\.ko): ?(.*)|\2 \1|p" "$tree/modules.dep" | awk '{for (i = NF - 1; i > 0; i--) print $i; print $NF}'
  done | awk '!seen[$0]++'
}

# What runs in the guest: the caller's environment as far as it matters, then the command.
script() {
  local name
  echo "export PATH=$(printf %q "/run/bin:$PATH:/usr/sbin:/sbin") HOME=/tmp TERM=dumb"
  for name in $(compgen -e | grep -E '^(XDIRECTOR|TEST_|GUEST_)'); do printf 'export %s=%q\n' "$name" "${!name}"; done
  printf 'hostname guest\nip link set dev lo up\ncd %q\nexec' "$PWD"
  printf ' %q' "$@"
  echo
}

# make_initrd FOLDER TREE COMMAND...: busybox, the modules that reach this machine's files, and the command.
make_initrd() {
  local root=$1/root tree=$2 module
  shift 2
  mkdir -p "$root/modules"
  cp "$(command -v busybox)" "$root/busybox"
  cp "$guest_dir/init.sh" "$root/init"
  module_order "$tree" virtio_pci 9pnet_virtio 9p overlay | while read -r module; do
    cp "$tree/$module" "$root/modules/"
    echo "/modules/$(basename "$module")"
  done >"$root/modules.order"
  dirname "$(dirname "$(dirname "$tree")")" >"$root/kernel"
  script "$@" >"$root/command"
  (cd "$root" && find . | cpio -o -H newc --quiet) >"$root/../initrd"
}

while [ $# -gt 0 ]; do
  case $1 in
    --accel) accel=$2 ;;
    --cpus) cpus=$2 ;;
    --memory) memory=$2 ;;
    --limit) limit=$2 ;;
    --nics) nics=$2 ;;
    *) break ;;
  esac
  shift 2
done
[ $# -ge 2 ] || { sed -n 's/^# \(Usage.*\)/\1/p' "$0" >&2; exit 2; }
version=$1
shift
for tool in qemu-system-x86_64 busybox cpio; do command -v $tool >/dev/null || skip "$tool is not installed (examples/lab/setup.sh all)"; done
kernel=$XDIRECTOR_KERNELS/$version
[ -e "$kernel/vmlinuz" ] || skip "there is no kernel $version (tests/guest/kernels.sh $version)"

case $accel in
  kvm) machine=(-accel kvm -cpu host -smp "$cpus") ;;
  tcg) machine=(-accel "tcg,thread=multi" -cpu max -smp "$cpus") ;;
  icount) # erms and fsrm: the emulator would count every byte that they move as an instruction
    machine=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -cpu "max,-erms,-fsrm" -smp 1
      -rtc "clock=vm,base=2024-01-01")
    arguments="nokaslr tsc=reliable clocksource=tsc lpj=4000000"
    ;;
  *)
    echo "boot.sh: no accelerator $accel" >&2
    exit 2
    ;;
esac

devices=()
for i in $(seq "$nics"); do
  devices+=(-netdev "hubport,id=nic$i,hubid=0" -device "virtio-net-pci,netdev=nic$i,mac=02:00:00:00:01:0$i,romfile=")
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_initrd "$work" "$(echo "$kernel"/lib/modules/*)" "$@"
timeout "$limit" qemu-system-x86_64 "${machine[@]}" -m "$memory" -nodefaults -display none -no-reboot -seed 1 \
  -virtfs local,path=/,mount_tag=machine,security_model=none,readonly=on,multidevs=remap \
  "${devices[@]}" -serial "file:$work/console" -serial stdio -serial "file:$work/status" \
  -kernel "$kernel/vmlinuz" -initrd "$work/initrd" -append "console=ttyS0 panic=-1 oops=panic ${arguments:-}" </dev/null ||
  echo "boot.sh: the guest ended by itself or was ended after $limit s" >&2
status=$(tr -d '\r\n' <"$work/status")
if ! [[ $status =~ ^[0-9]+$ ]]; then
  echo "boot.sh: the guest did not finish; its last words:" >&2
  tail -30 "$work/console" >&2
  status=1
fi
exit "$status"
