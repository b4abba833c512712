#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# MTU 9000: frames of more than a page pass, and are counted in full; the program changes with the MTU, and no packet
# notices.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

size=67108864
interface_of() { [ "$1" = director-1 ] && echo enp1s0 || echo eth0; }
multi_buffer() { director_status director-1 --json | jq -e ".interfaces[0].multi_buffer == $1" >/dev/null; }
ftp_sum() {
  director_status director-1 --json |
    jq ".virtual_servers[] | select(.name == \"ftp\") | [.real_servers[].$1] | add"
}
upload() { # NAME RATE
  background "$1" curl -sS --max-time 60 --disable-epsv --limit-rate "$2" -T "$LAB_STATE/large" -w '%{size_upload}' \
    "ftp://$VIP:$FTP_PORT/incoming/$1"
}

# set_mtu MTU NODE...: both ends of the node's wire; the far end's program must suit it.
set_mtu() {
  local mtu=$1 node
  shift
  for node in "$@"; do
    [ "$LAB_MODE" != native ] || lab_exec switch ip link set dev "$node" xdpdrv off
    lab_exec "$node" ip link set dev "$(interface_of "$node")" mtu "$mtu"
    lab_exec switch ip link set dev "$node" mtu "$mtu"
    [ "$LAB_MODE" != native ] || lab_exec switch ip link set dev "$node" xdpdrv obj "$LAB_STATE/pass_frags.o" sec xdp.frags
  done
}

deployment_up
hurry director-1
head -c "$size" /dev/zero >"$LAB_STATE/large"
printf '%s\n' '__attribute__((section("xdp.frags"), used)) int pass(void *frame) { return 2; }' \
  'char _license[] __attribute__((section("license"))) = "GPL";' |
  clang -O2 -target bpf -x c -c - -o "$LAB_STATE/pass_frags.o"
set_mtu 9000 director-1 real-1 real-2 client
director_start director-1
check_within 10 "director-1 is MASTER" is_master director-1
check_within 10 "all real servers are up" all_real_servers_up director-1
[ "$LAB_MODE" != native ] || check "the program is the one for several buffers" multi_buffer true
check "small requests alternate" alternates_now

upload jumbo 1G
check "an upload is complete" is "$(outcome jumbo)" "$size"
packets=$(ftp_sum packets) bytes=$(ftp_sum bytes)
echo "      $packets packets, $bytes bytes"
check "its packets are large" test "$((bytes / packets))" -gt 4500
check "their bytes are counted in full" test "$bytes" -gt "$size"
check "and no more than those" test "$bytes" -lt "$((size + size / 50))"

if [ "$LAB_MODE" = native ]; then
  echo "      the MTU changes under a transfer"
  upload moving 8M
  check_within 5 "the upload runs" ftp_data_connection_is_there
  lab_exec switch ip link set dev director-1 mtu 1500
  lab_exec director-1 ip link set dev enp1s0 mtu 1500
  check_within 5 "a small MTU: the plain program" multi_buffer false
  lab_exec director-1 ip link set dev enp1s0 mtu 9000
  check_within 5 "a large one: the other" multi_buffer true
  lab_exec switch ip link set dev director-1 mtu 9000
  check "the upload is complete" is "$(outcome moving)" "$size"
fi
finish
