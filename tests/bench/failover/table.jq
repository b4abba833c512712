# SPDX-License-Identifier: Apache-2.0
# All runs as run.sh writes them, slurped: a Markdown table for each advertisement interval, the directors side by side.
include "run";

def spread:
  map(values) | sort | if length == 0 then "-" else "\(.[(length - 1) / 2 | ceil] | rounded) / \(last | rounded)" end;
def total($of; $among): if $among[0] == null then "-" else "\($of | add) of \($among | add)" end;

def columns:
  { event: .[0].event,
    director: .[0].kind,
    n: length,
    "took over": map(select(takeover)) | length,
    takeover: map(takeover) | spread,
    "its predecessor's last advertisement": map(select(takeover) | former_advertised) | spread,
    outage: map(outage) | spread,
    "probes lost": total(map(lost); map(.services.director.sent)),
    "outage, balanced": map(outage_balanced) | spread,
    "probes lost, balanced": total(map(lost_balanced); map(.services.balanced.sent)),
    "ARP answered twice": total(map(.arp.twice); map(.arp.requests)),
    replaced: map(.replaced_ms) | spread };

def line($cells): "| \($cells | map(tostring) | join(" | ")) |";

def table:
  "\nadvert_int \(.[0].interval), version \(.[0].version); load \(map(.load | tonumber) | "\(min) to \(max)"), "
    + "the prober paused for \(map(.pause_ms) | spread) ms; p50 / max, all in ms\n",
  # In the order in which the events were run.
  ([to_entries | group_by([.value.event, .value.kind])[]] | map(sort_by(.key)) | group_by(.[0].value.event)
    | sort_by(map(.[0].key) | min) | map(.[] | map(.value) | columns)
    | line(.[0] | keys_unsorted), line(.[0] | map("---")), (.[] | line([.[]])));

group_by([.interval, .version])[] | table
