# SPDX-License-Identifier: Apache-2.0
# The rows of vrrp_conformance.json: what an instance of the director is for each, what its peer sends, and a judgement
# of what was heard on the wire and of the director's status. Each row has a virtual router and an address of its own.

def skew: 156 / 256; # of priority 100, in seconds

# The rows in order, with "scene", "vrid" and "vip".
def numbered:
  [to_entries[] | .key as $scene | .value[] | . + {scene: $scene}] | to_entries
  | map((.key + 1) as $vrid | .value + {vrid: $vrid}
      | .vip = if .v6 then "fd00:99::1:\($vrid)" else "10.99.1.\($vrid)" end
      | .addresses = if .v6 then ["fe80::99:\($vrid)", .vip] else [.vip] end);

def instances:
  map({name: "row_\(.row)_\(.vrid)", interface: "enp1s0", virtual_router_id: .vrid, priority: 100, advert_int: 1,
       virtual_ipaddress: .addresses, garp_master_delay: 0}
      + if .v6 or .instance.version == 3 then {} else {authentication: {auth_type: "PASS", auth_pass: "xxxx"}} end
      + .instance);

# The wishes (see vrrp_frames.hpp) of the peer for one scene.
def wishes($scene; $director_mac):
  {backup: {every_ms: 900, times: 0}, master: {after_ms: 300, times: 1}}[$scene] as $when
  | map(select(.scene == $scene and .expect != "silence") as $row | (.adverts // [.advert // {}])[]
      | {vrid: $row.vrid, priority: 200, addresses: $row.addresses, auth_pass: "xxxx", version: ($row.instance.version // (if $row.v6 then 3 else 2 end))} + $when + .
      | if .mac == "DIRECTOR" then .mac = $director_mac else . end);

# --- what was heard; every time in seconds

def adverts($row): map(select(.kind == "advert" and .vrid == $row.vrid));
def announcements($row): map(select(.kind == "announcement" and .address == $row.vip));
def first_advert($row): adverts($row) | map(.t) | min;
def between($from; $to): map(select(.t >= $from and .t < $to));
def gaps: [.[].t] as $t | [range(1; $t | length) | $t[.] - $t[. - 1]];
def on_schedule: gaps | all(. > 0.95 and . < 1.05);
def ms: . * 1000 | round | "\(.) ms";

# Why not each instance advertised on schedule all the time; empty when each did.
def schedule_problem($from; $to; $instances):
  map(select(.kind == "advert")) | between($from; $to) | group_by(.vrid)
  | if length != $instances then "\(length) instances advertised"
    else map(select(on_schedule | not) | "virtual router \(.[0].vrid): \(gaps | map(ms))") | join("; ") end;

# Why not each of the rows' instances is MASTER a Master_Down_Interval after a time; empty when each is.
def takeover_problem($from; $rows):
  between($from; infinite) as $since
  | [$rows[] as $row | ($since | first_advert($row)) as $t
     | if $t == null then "\($row.vrid) is not"
       elif ($t - $from - 3 - skew | fabs) > 0.25 then "\($row.vrid) after \($t - $from | ms)" else empty end]
  | join("; ");

# Why not each of these virtual routers advertised, and announced its address, within 50 ms; empty when each did.
def reassert_problem($t; $rows):
  between($t; $t + 0.05) as $soon
  | [$rows[] as $row
     | if $soon | adverts($row) | length == 0 then "\($row.vrid) did not advertise" else empty end,
       if $soon | announcements($row) | length == 0 then "\($row.vrid) did not announce" else empty end] | join("; ");

# Why not each instance resigned before its address went, by what `ip -ts -o monitor address` saw.
def resignation_problem($from; $removals; $rows):
  map(select(.kind == "advert" and .priority == 0 and .t > $from)) as $resignations
  | [$rows[] as $row
     | ($resignations | adverts($row) | map(.t) | min) as $resigned
     | ($removals | map(select(.address == $row.vip and .t > $from).t) | min) as $removed
     | if $resigned == null then "\($row.vrid) did not resign"
       elif $removed == null then "\($row.vip) was not removed"
       elif $removed < $resigned - 0.001 then "\($row.vip) went \($resigned - $removed | ms) before" else empty end]
  | join("; ");

# Lines of `ip -ts -o monitor address`: [2026-11-22T20:31:43.009123] Deleted 3: enp1s0    inet 10.99.1.1/32 ...
def removals:
  [split("\n")[] | capture("^\\[(?<day>[^.]*)\\.(?<us>[0-9]*)\\] Deleted .* inet6? (?<address>[^/ ]*)/")
   | {address, t: ((.day + "Z" | fromdateiso8601) + (.us | tonumber) / 1000000)}];

# Why a row does not hold; empty when it does.
def told($row; $status): # what the instance says of what it got
  $status.vrrp_instances[] | select(.virtual_router_id == $row.vrid)
  | if $row.expect == "accepted" and .adverts_rejected > 0 then "rejected: \(.last_rejected)"
    elif $row.expect == "accepted" and .adverts_received == 0 then "nothing was received"
    elif $row.reason and (.last_rejected | contains($row.reason) | not) then "last rejected: \(.last_rejected)"
    else empty end;

def backup_problem($row; $heard; $sent; $status):
  ($heard | first_advert({vrid: 1})) as $timeout
  | ($heard | first_advert($row)) as $master
  | if $row.expect == "accepted" then
      if $master then "MASTER after all" else empty end
    elif $row.expect == "MASTER after" then
      ($sent | map(select(.vrid == $row.vrid).t) | max) as $last
      | if $master == null then "still BACKUP"
        elif ($master - $last - $row.after | fabs) > 0.1 then "after \($master - $last | ms)" else empty end
    elif $master == null then "still BACKUP"
    elif ($master - $timeout | fabs) > 0.1 then "MASTER \($master - $timeout | ms) after the others" else empty end;

def master_problem($row; $heard; $sent; $status):
  ($sent | map(select(.vrid == $row.vrid).t) | min) as $t
  | ($heard | adverts($row)) as $adverts
  | ($adverts | between($t; $t + 0.05)) as $answers
  | ($heard | announcements($row) | between($t; $t + 1.05) | length) as $announced
  | ($status.vrrp_instances[] | select(.virtual_router_id == $row.vrid).state) as $state
  | if $row.expect == "yielded to" then
      if $state != "BACKUP" then $state
      elif [$answers[].priority] != [$row.instance.priority // 100] then "answered: \([$answers[].priority])"
      elif $adverts | any(.t > $t + 0.05) then "advertises still"
      elif $status.addresses | index($row.vip) then "its address is still there" else empty end
    elif $state != "MASTER" then $state
    elif $row.expect == "ignored" then
      if $announced > 0 then "announced" elif $adverts | on_schedule then empty else "advertised out of turn" end
    elif $answers == [] then "not answered within 50 ms"
    elif $row.expect == "answered" then
      if $announced > 0 then "announced" else empty end
    elif $announced == 0 or $announced > 5 then "\($announced) announcements" else empty end;

# A line per row of the scene: row, claim, what is expected, why that is not so.
def judge($scene; $heard; $sent; $status):
  .[] | select(.scene == $scene) | . as $row
  | [told($row; $status),
     if $scene == "backup" then backup_problem($row; $heard; $sent; $status)
     else master_problem($row; $heard; $sent; $status) end]
  | [$row.row, $row.claim, $row.expect, join("; ")] | join("|");
