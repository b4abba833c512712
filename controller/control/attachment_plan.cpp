// SPDX-License-Identifier: Apache-2.0
#include "control/attachment_plan.hpp"

#include <algorithm>

namespace control {
namespace {

constexpr size_t kTagsThatTheProgramLooksThrough = 2;

const netlink::Link* parent_of(const Links& links, const netlink::Link& link) {
  const auto found = link.vlan ? links.find(link.vlan->parent) : links.end();
  return found == links.end() ? nullptr : &found->second;
}

// The nearest interface below `name` that is one of `names`.
std::optional<std::string> find_carrier(const std::string& name, const std::vector<std::string>& names,
                                        const Links& links) {
  const std::optional<netlink::Link> link = find_link(links, name);
  const netlink::Link* below = link ? parent_of(links, *link) : nullptr;
  for (size_t tags = 1; below != nullptr && tags <= kTagsThatTheProgramLooksThrough; ++tags) {
    if (std::ranges::find(names, below->name) != names.end()) return below->name;
    below = parent_of(links, *below);
  }
  return std::nullopt;
}

}  // namespace

std::optional<netlink::Link> find_link(const Links& links, const std::string& name) {
  for (const auto& [index, link] : links) {
    if (link.name == name) return link;
  }
  return std::nullopt;
}

AttachmentPlan::AttachmentPlan(std::vector<std::string> names, const Links& links) : links_(links) {
  for (const std::string& name : names) {
    if (auto carrier = find_carrier(name, names, links)) carriers_[name] = *carrier;
  }
  // That of a carrier that is itself carried.
  for (auto& [name, carrier] : carriers_) {
    for (auto next = carriers_.find(carrier); next != carriers_.end(); next = carriers_.find(carrier)) {
      carrier = next->second;
    }
  }
  for (std::string& name : names) {
    if (!carriers_.contains(name)) interfaces_.push_back(std::move(name));
  }
}

std::optional<std::string> AttachmentPlan::carrier(const std::string& name) const {
  const auto found = carriers_.find(name);
  return found == carriers_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> AttachmentPlan::carried_by(const std::string& interface) const {
  std::vector<std::string> names;
  for (const auto& [name, carrier] : carriers_) {
    if (carrier == interface) names.push_back(name);
  }
  return names;
}

bool AttachmentPlan::has_program(const netlink::Link& link) const {
  return std::ranges::find(interfaces_, link.name) != interfaces_.end();
}

AttachmentPlan::Exit AttachmentPlan::exit(uint32_t ifindex) const {
  Exit exit{ifindex, {}};
  const auto found = links_.find(static_cast<int>(ifindex));
  const netlink::Link* link = found == links_.end() ? nullptr : &found->second;
  while (link != nullptr && link->vlan && !has_program(*link)) {
    const netlink::Link* parent = parent_of(links_, *link);
    if (parent == nullptr) break;
    exit.tags.insert(exit.tags.begin(), link->vlan->id);
    exit.ifindex = static_cast<uint32_t>(parent->index);
    link = parent;
  }
  return exit;
}

bool AttachmentPlan::meets(const std::string& name, uint32_t ifindex, const std::vector<uint16_t>& tags) const {
  const std::optional<netlink::Link> link = find_link(links_, name);
  if (!link) return false;
  const Exit way = exit(static_cast<uint32_t>(link->index));
  const auto entrance = links_.find(static_cast<int>(ifindex));
  const bool port = entrance != links_.end() && entrance->second.master == static_cast<int>(way.ifindex);
  return tags == way.tags && (ifindex == way.ifindex || port);
}

std::map<uint32_t, base::Mac> AttachmentPlan::entrances() const {
  std::map<uint32_t, base::Mac> all;
  for (const std::string& name : interfaces_) {
    const std::optional<netlink::Link> link = find_link(links_, name);
    if (!link) continue;
    all[static_cast<uint32_t>(link->index)] = link->mac;
    if (!link->bond) continue;
    for (const auto& [index, port] : links_) {
      if (port.master == link->index) all[static_cast<uint32_t>(index)] = link->mac;
    }
  }
  return all;
}

}  // namespace control
