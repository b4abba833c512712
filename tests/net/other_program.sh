#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody else's XDP program on the interface is left alone, and the refusal says what to do.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

program() { lab_exec director-1 ip -d link show dev enp1s0 | grep -o 'prog/xdp.* id [0-9]*' | grep -o 'id [0-9]*'; }

deployment_up
case $LAB_MODE in
  native) attach=xdpdrv ;;
  *) attach=xdpgeneric ;;
esac
printf '%s\n' '__attribute__((section("xdp"), used)) int other(void *frame) { return 2; }' \
  'char _license[] __attribute__((section("license"))) = "GPL";' |
  clang -O2 -target bpf -x c -c - -o "$LAB_STATE/other.o"
lab_exec director-1 ip link set dev enp1s0 "$attach" obj "$LAB_STATE/other.o" sec xdp
before=$(program)

status=0
said=$(lab_exec director-1 timeout 10 "$XDIRECTOR" run --config "$LAB_STATE/director-1/xdirector.json" \
  --xdp-mode "$LAB_MODE" 2>&1) || status=$?
echo "$said"
check "it does not start" test "$status" -ne 0
check "nor hang" test "$status" -ne 124
check "it names the interface" grep -q enp1s0 <<<"$said"
check "and the other program" grep -Eq "XDP program" <<<"$said"
check "the other program is still there" is "$(program)" "$before"
check "no VIP" has_no_vip director-1
finish
