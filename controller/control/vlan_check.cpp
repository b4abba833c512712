// SPDX-License-Identifier: Apache-2.0
#include "control/vlan_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace control {
namespace {

std::set<base::Ip> virtual_addresses(const model::VirtualServer& server, const model::Config& config) {
  if (server.key.mark == 0) return {server.key.address};
  std::set<base::Ip> marked;
  for (const model::PortMark& rule : config.port_marks) {
    if (rule.mark == server.key.mark && rule.protocol == server.key.protocol) marked.insert(rule.address);
  }
  return marked;
}

class VlanCheck {
 public:
  VlanCheck(const model::Config& config, const AttachmentPlan& plan, const Links& links, const Reach& reach)
      : plan_(plan), links_(links), reach_(reach) {
    for (const model::VrrpInstance& instance : config.vrrp_instances) {
      for (const auto& address : instance.all_addresses()) interface_of_[address.ip] = instance.interface;
    }
    for (const model::VirtualServer& server : config.virtual_servers) {
      for (const auto& address : virtual_addresses(server, config)) check(server, address);
    }
  }
  std::vector<std::string> take() { return std::move(problems_); }

 private:
  void check(const model::VirtualServer& server, const base::Ip& virtual_address) {
    const auto interface = interface_of_.find(virtual_address);
    const auto in = interface == interface_of_.end() ? std::nullopt : find_link(links_, interface->second);
    if (!in) return;
    for (const model::RealServer& real : server.real_servers) {
      const auto route = reach_.find(real.address);
      const auto out = route == reach_.end() ? links_.end() : links_.find(static_cast<int>(route->second));
      if (out == links_.end() || out->first == in->index) continue;
      if (same_vlan(*in, out->second) || !judged_.emplace(virtual_address, real.address).second) continue;
      problems_.push_back(fmt::format(
          "real server {} of \"{}\" is reached by {}, but packets for {} come by {}: a frame leaves with the "
          "VLAN tag it came with, so use a real server of that VLAN",
          real.address.str(), server.name, out->second.name, virtual_address.str(), in->name));
    }
  }

  // A VLAN sub-interface with a program of its own takes frames from itself only.
  bool same_vlan(const netlink::Link& in, const netlink::Link& out) const {
    return tags(in) == tags(out) && !(out.vlan && tags(out).empty());
  }

  std::vector<uint16_t> tags(const netlink::Link& link) const {
    return plan_.exit(static_cast<uint32_t>(link.index)).tags;
  }

  const AttachmentPlan& plan_;
  const Links& links_;
  const Reach& reach_;
  std::map<base::Ip, std::string> interface_of_;
  std::set<std::pair<base::Ip, base::Ip>> judged_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> vlan_contradictions(const model::Config& config, const AttachmentPlan& plan,
                                             const Links& links, const Reach& reach) {
  return VlanCheck(config, plan, links, reach).take();
}

}  // namespace control
