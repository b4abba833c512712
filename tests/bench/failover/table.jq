# SPDX-License-Identifier: Apache-2.0
# All runs as run.sh writes them, slurped: a Markdown table per kind of director and advertisement interval.
include "run";

def spread: map(values) | sort | if length == 0 then "-" else "\(.[(length - 1) / 2 | ceil] | rounded) / \(last | rounded)" end;
def arp: "\(map(.arp.twice) | add) of \(map(.arp.requests) | add)";

def row:
  [ .[0].event, length, (map(select(takeover)) | length), (map(takeover) | spread), (map(outage) | spread),
    (map(lost) | spread), (map(outage_balanced) | spread), (map(lost_balanced) | spread), arp,
    (map(former_advertised) | spread), (map(former_answered) | spread), (map(.pause_ms) | spread) ]
  | "| \(map(tostring) | join(" | ")) |";

def table:
  "\n\(.[0].kind), advert_int \(.[0].interval), version \(.[0].version); load \(map(.load | tonumber) | "\(min) to \(max)")\n",
  "| event | n | took over | takeover p50/max | outage p50/max | lost | balanced: outage | balanced: lost "
    + "| ARP answered twice | former's last advertisement | its last answer | prober's pause |",
  "|---|---|---|---|---|---|---|---|---|---|---|---|",
  (reduce .[] as $run ({}; .[$run.event] += [$run]) | .[] | row);

group_by([.kind, .interval, .version])[] | table
