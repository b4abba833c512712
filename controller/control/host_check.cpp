// SPDX-License-Identifier: Apache-2.0
#include "control/host_check.hpp"

#include "control/interface_facts.hpp"
#include "netlink/routes.hpp"

namespace control {

Reach find_reach(netlink::Socket& socket, const model::Config& config) {
  Reach reach;
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) {
      if (reach.contains(real.address)) continue;
      const auto route = netlink::route_to(socket, real.address);
      if (route && *route && !(*route)->local) reach[real.address] = static_cast<uint32_t>((*route)->ifindex);
    }
  }
  return reach;
}

HostFindings check_host(const model::Config& config, const Links& links, const Reach& reach, bool generic) {
  const AttachmentPlan plan(config.attached_interfaces(), links);
  HostFindings findings{.interfaces = {}, .contradictions = vlan_contradictions(config, plan, links, reach)};
  std::set<uint32_t> exits;
  for (const auto& [address, ifindex] : reach) exits.insert(ifindex);
  for (const std::string& name : plan.interfaces()) {
    const auto facts = gather_facts(name, plan, exits, links, generic);
    if (!facts) continue;
    for (Finding& finding : examine(*facts)) findings.interfaces.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace control
