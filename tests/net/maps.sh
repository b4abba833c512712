#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every pinned map reads as text, with the field names of include/xdirector/maps.h.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
command -v bpftool >/dev/null || skip "bpftool is not installed"

dump() { lab_exec director-1 bpftool map dump pinned "/sys/fs/bpf/xdirector/$1" 2>&1; }

# shows MAP FIELD...: the dump has every one of these names.
shows() {
  local map=$1 text field
  shift
  # The big tables are cut after what is enough to see.
  text=$(dump "$map" | head -c 2000000 || true)
  for field in "$@"; do
    check "$map shows $field" grep -q "\"$field\":" <<<"$text"
  done
}

reference_running
rest_hosts 4 >"$LAB_STATE/hosts"
ftp_session host >>"$LAB_STATE/hosts"

shows settings hash_seed layout buckets buckets6 template_buckets tick_shift tick_ns
shows virtual_addresses has
shows interfaces mac ifindex peers peer
shows services address mark port protocol kind
shows port_marks address protocol count range first last mark
shows virtual_servers key cycle maglev offset length position persistence_ticks persistence_prefix transport scheduler
shows schedules slot
shows real_servers mac state delivery virtual_server virtual_address virtual_port transport weight address
shows leases address ifindex until
shows connections slot client client_port tick state port address
shows connections6 slot tick state client address
shows persistence client virtual_server slot proven seen_tick
shows counters forwarded scheduled dropped_fenced
shows real_server_stats packets bytes connections
finish
