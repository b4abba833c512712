#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Imports in controller/ run one way, and each outside library has one folder that knows it.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A may_include=(
  [base]=""
  [loop]="base"
  [netlink]="base loop"
  [model]="base"
  [config]="base model"
  [ipc]="base loop model"
  [dataplane]="base model"
  [vrrp]="base loop netlink model ipc"
  [health]="base loop netlink model ipc"
  [real_server]="base netlink"
  [control]="base loop netlink model config ipc dataplane"
  [cli]="base loop netlink model config ipc dataplane real_server control"
)

# What an include begins with → the only folders of controller/ that may say so.
declare -A only_in=(["<bpf/"]="dataplane" ["\"xdirector.skel.h"]="dataplane" ["<netlink/"]="netlink"
  ["<event2/"]="loop control")

# Lines "file folder-of-file include".
includes() {
  files 'controller/*/*.cpp' 'controller/*/*.hpp' | while read -r file; do
    sed -nE 's/^#include +(["<][^">]+).*/\1/p' "$file" | while read -r include; do
      echo "$file $(cut -d/ -f2 <<<"$file") $include"
    done
  done
}

while read -r file folder include; do
  target=${include#\"}
  target=${target%%/*}
  if [[ $include == \"*/* && -n ${may_include[$target]+x} && $target != "$folder" ]]; then
    [[ " ${may_include[$folder]-} " == *" $target "* ]] ||
      wrong "$file: $folder may not include $target (it may include: ${may_include[$folder]:-nothing})"
  fi
  for library in "${!only_in[@]}"; do
    if [[ $include == "$library"* && " ${only_in[$library]} " != *" $folder "* ]]; then
      wrong "$file: only ${only_in[$library]}/ may include ${include#[\"<]}"
    fi
  done
done < <(includes)

for folder in controller/*/; do
  [[ -n ${may_include[$(basename "$folder")]+x} ]] || wrong "$folder: tests/lint/includes.sh does not know its place yet"
done
exit "$lint_failed"
