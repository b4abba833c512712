// SPDX-License-Identifier: Apache-2.0
#include "control/interface_facts.hpp"

#include <unistd.h>

#include <algorithm>

namespace control {
namespace {

DeviceFacts look_at(const netlink::Link& link) {
  return {link.name, netlink::ethtool(link.name), netlink::xdp_features(link.index)};
}

std::vector<DeviceFacts> devices_of(const netlink::Link& link, const Links& links) {
  std::vector<DeviceFacts> all;
  for (const auto& [index, port] : links) {
    if (link.bond && port.master == link.index) all.push_back(look_at(port));
  }
  if (!link.bond) all.push_back(look_at(link));
  return all;
}

}  // namespace

std::optional<InterfaceFacts> gather_facts(const std::string& interface, const AttachmentPlan& plan,
                                           const std::set<uint32_t>& exits, const Links& links, bool generic) {
  const std::optional<netlink::Link> link = find_link(links, interface);
  if (!link) return std::nullopt;
  InterfaceFacts facts{.link = *link, .master = {}, .devices = devices_of(*link, links), .vlans = {}, .exits = {}};
  facts.generic = generic;
  facts.cpus = static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_CONF)));
  if (const auto master = links.find(link->master); master != links.end()) facts.master = master->second;
  const auto own_index = static_cast<uint32_t>(link->index);
  for (const auto& [index, other] : links) {
    const AttachmentPlan::Exit below = plan.exit(static_cast<uint32_t>(index));
    if (!other.vlan || below.ifindex != own_index || index == link->index) continue;
    const bool carried = plan.carrier(other.name) == interface || exits.contains(static_cast<uint32_t>(index));
    facts.vlans.push_back({other, carried});
  }
  std::set<uint32_t> seen{own_index};
  for (const uint32_t exit : exits) {
    const uint32_t ifindex = plan.exit(exit).ifindex;
    const auto out = links.find(static_cast<int>(ifindex));
    if (out == links.end() || !seen.insert(ifindex).second) continue;
    const bool has_program = std::ranges::find(plan.interfaces(), out->second.name) != plan.interfaces().end();
    facts.exits.push_back({out->second, has_program, netlink::xdp_features(out->first)});
  }
  return facts;
}

}  // namespace control
