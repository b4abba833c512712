// SPDX-License-Identifier: Apache-2.0
// Links of a host that does not exist: eth0 (index 2), eth1 (3), and what tests put on them.
#pragma once

#include "control/attachment_plan.hpp"

namespace test {

inline base::Mac mac(const char* text) {
  return *base::Mac::parse(text);
}

inline void add(control::Links& links, netlink::Link link) {
  links[link.index] = std::move(link);
}

inline netlink::Link ethernet(int index, const char* name, const char* address) {
  return {.index = index, .name = name, .mac = mac(address), .up = true, .running = true, .mtu = 1500};
}

// With its parent's MAC address, as the kernel makes it.
inline netlink::Link vlan(int index, const netlink::Link& parent, uint16_t id) {
  netlink::Link link = parent;
  link.index = index;
  link.name = parent.name + "." + std::to_string(id);
  link.kind = "vlan";
  link.vlan = {parent.index, id};
  return link;
}

inline control::Links two_interfaces() {
  control::Links links;
  add(links, ethernet(2, "eth0", "02:00:00:00:00:02"));
  add(links, ethernet(3, "eth1", "02:00:00:00:00:03"));
  return links;
}

}  // namespace test
