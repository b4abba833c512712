# SPDX-License-Identifier: Apache-2.0
# The matrix of keepalived.sh: an instance for each way to send and each relation between the two routers, as xdirector
# and as keepalived are told of it. xdirector is .5 and keepalived .2 of each network.

def relations: # priorities; which of the two it favours
  {"xdirector higher": {xdirector: 150, keepalived: 100},
   "keepalived higher": {xdirector: 50, keepalived: 100},
   equal: {xdirector: 100, keepalived: 100},
   nopreempt: {xdirector: 150, keepalived: 100, nopreempt: true}};

def transports:
  {"version 2, PASS": {version: 2, interval: 1, pass: "s3cr3t12"},
   "version 2, PASS, unicast": {version: 2, interval: 1, pass: "s3cr3t12", unicast: true},
   "version 3": {version: 3, interval: 0.5},
   "version 3, unicast": {version: 3, interval: 0.5, unicast: true},
   "version 3, IPv6": {version: 3, interval: 0.5, v6: true},
   "version 3, IPv6, unicast": {version: 3, interval: 0.5, v6: true, unicast: true}};

def matrix:
  [transports | to_entries[] | .key as $transport | .value as $t
   | relations | to_entries[] | {transport: $transport, relation: .key} + $t + .value]
  | to_entries
  | map((.key + 1) as $vrid | .value + {vrid: $vrid, name: "VI_\($vrid)"}
      | . + if .v6 then {network: "fd00:98::", addresses: ["fe80::98:\($vrid)", "fd00:98::1:\($vrid)"]}
            else {network: "10.98.0.", addresses: ["10.98.1.\($vrid)"]} end);

def xdirector:
  {vrrp_instances: map(
    {name, state: "BACKUP", interface: "enp1s0", virtual_router_id: .vrid, priority: .xdirector,
     advert_int: .interval, virtual_ipaddress: .addresses}
    + if .version == 3 then {version: 3} else {} end
    + if .pass then {authentication: {auth_type: "PASS", auth_pass: .pass}} else {} end
    + if .unicast then {unicast_src_ip: "\(.network)5", unicast_peer: ["\(.network)2"]} else {} end
    + if .nopreempt then {nopreempt: true} else {} end)};

def keepalived:
  "global_defs { router_id T_LVS }",
  (.[] | "vrrp_instance \(.name) {",
   "  state BACKUP", "  interface enp1s0", "  virtual_router_id \(.vrid)", "  priority \(.keepalived)",
   "  version \(.version)", "  advert_int \(.interval)",
   if .pass then "  authentication {", "    auth_type PASS", "    auth_pass \(.pass)", "  }" else empty end,
   if .unicast then "  unicast_src_ip \(.network)2", "  unicast_peer {", "    \(.network)5", "  }" else empty end,
   if .nopreempt then "  nopreempt" else empty end,
   "  virtual_ipaddress {", "    \(.addresses[])", "  }",
   "}");

# The rows whose addresses are not all where they should be, $here (addresses of one router) and not $there; empty: none.
def misplaced($relations; $here; $there):
  map(select(.relation == $relations[])
      | select((.addresses - $here != []) or (.addresses - (.addresses - $there) != []))
      | "\(.transport), \(.relation)") | join("; ");
