// SPDX-License-Identifier: Apache-2.0
// What makes a host a real server for direct routing, as pure functions: the changes that add or remove a VIP, what has
// to be remembered so that removing restores what was there before, and what is amiss.
//
// A real server takes packets for the VIP but must never answer ARP for it: VIP/32 on lo, and on every interface
// arp_ignore=1 (answer for this interface's own addresses only), arp_announce=2 (ask with them only). The kernel takes
// the higher of "all" and the interface's own value. The host route VIP dev lo is what LVS guides ask for too; the
// kernel's local table makes it needless, and it does no harm.
//
// For IPv6 VIP/128 on lo is all: neighbour solicitations are answered for the asked interface's own addresses only, and
// sent from them; and there is no route that a guide asks for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "real_server/host.hpp"

namespace real_server {

// What add has changed, so what remove has to undo.
struct Saved {
  struct Vip {
    bool address_added = false, route_added = false;  // false: it was there before

    friend bool operator==(const Vip&, const Vip&) = default;
  };
  std::map<base::Ip, Vip> vips;
  std::map<std::pair<std::string, std::string>, int> sysctls;  // (interface, key) → value before the first VIP

  friend bool operator==(const Saved&, const Saved&) = default;
};

struct Plan {
  std::vector<Change> changes;     // in this order
  Saved saved;                     // from then on
  std::vector<std::string> notes;  // what is left as it is, and why
};

// Refuses as a whole when one VIP cannot be had; says of each why.
base::Result<Plan> plan_add(const Network& network, const Saved& saved, const std::set<base::Ip>& vips);
// What was there before is left alone. The settings go back with the last VIP.
Plan plan_remove(const Network& network, const Saved& saved, const std::set<base::Ip>& vips);

// One thing that has to be so, whether it is, and what to do if not.
struct Finding {
  std::string what;  // "192.168.100.111/32 on lo"
  bool ok = false;
  std::string remedy;  // empty when ok

  friend bool operator==(const Finding&, const Finding&) = default;
};

std::vector<Finding> examine_vip(const Network& network, const base::Ip& vip);
std::vector<Finding> examine_settings(const Network& network);

}  // namespace real_server
