#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Instructions per packet, counted in a Debian guest: xdirector, IPVS, the kernel's forwarding and floors in one table.
#
# Usage: run.sh [--kernel 6.1|6.12] [--packets N] [--build FOLDER] [ROW]     (a minute or two; needs no KVM, no root)
#   ROW      a regular expression: only rows that match, as "xdirector native, new" (floors always run)
#   --build  the build that is measured, brought up to date first; default build/dev. The BPF program is always optimised
# In the guest a nanosecond is an instruction (QEMU's -icount), so figures repeat, whatever else the machine does.
set -euo pipefail
bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$bench_dir/../../.." && pwd)
kernel=6.1 packets=10000 build=$repository/build/dev only=''

while [ $# -gt 0 ]; do
  case $1 in
    --kernel) kernel=$2; shift ;;
    --packets) packets=$2; shift ;;
    --build) build=$(realpath "$2"); shift ;;
    -*) sed -n 's/^# \(Usage.*\)/\1/p' "$0" >&2; exit 2 ;;
    *) only=$1 ;;
  esac
  shift
done

table() {
  awk -F'|' '
    $1 != "ROW" { print > "/dev/stderr"; next }
    !head++ { printf "%-20s %-40s %8s %8s %6s\n", "instructions/packet", "", "total", "net", "aim" }
    {
      total[$3] = $6
      net = $4 in total ? sprintf("%.0f", $6 - total[$4]) : ""
      printf "%-20s %-40s %8.0f %8s %6s\n", $2, $3, $6, net, $5
    }'
}

[ -e "$build/build.ninja" ] || { echo "run.sh: nothing is built in $build (cmake --preset dev)" >&2; exit 2; }
ninja -C "$build" xdirector guest_bench >/dev/null
"$repository/tests/guest/kernels.sh" "$kernel"
export XDIRECTOR=$build/controller/xdirector GUEST_BENCH=$build/tests/bench/guest_bench GUEST_ONLY=$only GUEST_PACKETS=$packets
echo "Linux $kernel, 5 x $packets packets per row; $(git -C "$repository" describe --always --dirty 2>/dev/null || true)"
"$repository/tests/guest/boot.sh" --accel icount "$kernel" "$bench_dir/guest.sh" | table
