// SPDX-License-Identifier: Apache-2.0
#include "real_server/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>

namespace real_server {
namespace {

constexpr const char* kLoopback = "lo";

// One ARP setting of a real server.
struct Setting {
  const char* key;
  int ArpSettings::* member;
  int value;                 // what add sets
  bool (*holds)(int value);  // what does as well
};
constexpr std::array<Setting, 2> kSettings{
    {{"arp_ignore", &ArpSettings::ignore, 1, [](int v) { return v == 1 || v == 2; }},  // 3 answers for lo's, 8 for none
     {"arp_announce", &ArpSettings::announce, 2, [](int v) { return v == 2; }}}};
constexpr std::array<const char*, 2> kSetOn{"all", kLoopback};

bool has_address(const Network& network, const base::Ip& vip) {
  return std::ranges::find(network.addresses, InterfaceAddress{kLoopback, vip, vip.bits()}) != network.addresses.end();
}

bool has_route(const Network& network, const base::Ip& vip) {
  return !vip.is_v6() && std::ranges::find(network.loopback_routes, vip.v4()) != network.loopback_routes.end();
}

// Where the VIP is, but must not be: an interface that answers ARP for it, or a whole network on lo.
const InterfaceAddress* misplaced(const Network& network, const base::Ip& vip) {
  const auto found = std::ranges::find_if(network.addresses, [&vip](const InterfaceAddress& a) {
    return a.ip == vip && (a.interface != kLoopback || a.prefix_length != vip.bits());
  });
  return found == network.addresses.end() ? nullptr : &*found;
}

std::string why_misplaced(const InterfaceAddress& a) {
  const std::string address = fmt::format("{}/{}", a.ip.str(), a.prefix_length);
  return a.interface == kLoopback
             ? fmt::format("lo has {}, which takes in that whole network; ip address del {} dev lo", address, address)
             : fmt::format("{} has {}, so this host answers {} for it; ip address del {} dev {}", a.interface, address,
                           a.ip.is_v6() ? "neighbour solicitations" : "ARP", address, a.interface);
}

void plan_settings(const Network& network, Plan& plan) {
  for (const char* interface : kSetOn) {
    const auto own = network.arp.find(interface);
    if (own == network.arp.end()) continue;
    for (const Setting& setting : kSettings) {
      const int now = own->second.*setting.member;
      if (setting.holds(now)) continue;
      plan.changes.push_back(SysctlChange{interface, setting.key, now, setting.value});
      plan.saved.sysctls.try_emplace({interface, setting.key}, now);  // the first value is the one from before
    }
  }
}

void restore_settings(const Network& network, Plan& plan) {
  for (const char* interface : kSetOn) {
    for (const Setting& setting : kSettings) {
      const auto before = plan.saved.sysctls.find({interface, setting.key});
      const auto own = network.arp.find(interface);
      if (before == plan.saved.sysctls.end() || own == network.arp.end()) continue;
      const int now = own->second.*setting.member;
      if (now == setting.value) {
        plan.changes.push_back(SysctlChange{interface, setting.key, now, before->second});
      } else if (now != before->second) {
        plan.notes.push_back(fmt::format("net.ipv4.conf.{}.{} = {} is left: it was changed by someone else meanwhile",
                                         interface, setting.key, now));
      }
    }
  }
  plan.saved.sysctls.clear();
}

}  // namespace

base::Result<Plan> plan_add(const Network& network, const Saved& saved, const std::set<base::Ip>& vips) {
  std::string refused;
  for (const base::Ip& vip : vips) {
    std::string why(base::why_no_host_address(vip));
    if (!why.empty()) why.insert(0, "it is ");
    const InterfaceAddress* where = misplaced(network, vip);
    if (why.empty() && where != nullptr) why = why_misplaced(*where);
    if (!why.empty())
      refused += fmt::format("{}{} cannot be a VIP here: {}", refused.empty() ? "" : "\n", vip.str(), why);
  }
  if (!network.loopback_up) refused += fmt::format("{}lo is down; ip link set lo up", refused.empty() ? "" : "\n");
  if (!refused.empty()) return base::fail(refused);

  Plan plan{.changes = {}, .saved = saved, .notes = {}};
  const bool any_ipv4 = !std::ranges::all_of(vips, &base::Ip::is_v6);
  if (any_ipv4) plan_settings(network, plan);  // before the addresses: no ARP request for a VIP is answered in between
  for (const base::Ip& vip : vips) {
    Saved::Vip& mine = plan.saved.vips[vip];
    if (!has_address(network, vip)) {
      plan.changes.push_back(AddressChange{.vip = vip});
      mine.address_added = true;
    }
    if (!vip.is_v6() && !has_route(network, vip)) {
      plan.changes.push_back(RouteChange{.vip = vip.v4()});
      mine.route_added = true;
    }
  }
  return plan;
}

Plan plan_remove(const Network& network, const Saved& saved, const std::set<base::Ip>& vips) {
  Plan plan{.changes = {}, .saved = saved, .notes = {}};
  for (const base::Ip& vip : vips) {
    const auto known = saved.vips.find(vip);
    if (known == saved.vips.end()) {
      plan.notes.push_back(vip.str() + " is left as it is: `real-server add` has not added it");
      continue;
    }
    if (has_route(network, vip) && known->second.route_added) {
      plan.changes.push_back(RouteChange{.vip = vip.v4(), .present = false});
    }
    if (has_address(network, vip)) {
      if (known->second.address_added) {
        plan.changes.push_back(AddressChange{.vip = vip, .present = false});
      } else {
        plan.notes.push_back(fmt::format("{}/{} is left on lo: it was there before", vip.str(), vip.bits()));
      }
    }
    plan.saved.vips.erase(vip);
  }
  const bool any_ipv4 = !std::ranges::all_of(std::views::keys(plan.saved.vips), &base::Ip::is_v6);
  if (!any_ipv4) restore_settings(network, plan);  // after the addresses, for the same reason
  return plan;
}

std::vector<Finding> examine_vip(const Network& network, const base::Ip& vip) {
  const std::string add = fmt::format("xdirector real-server add {}", vip.str());
  auto finding = [](std::string what, bool ok, const std::string& remedy) {
    return Finding{std::move(what), ok, ok ? "" : remedy};
  };
  std::vector<Finding> found{
      finding(fmt::format("{}/{} on lo", vip.str(), vip.bits()), has_address(network, vip), add)};
  if (!vip.is_v6()) found.push_back(finding(fmt::format("route {} dev lo", vip.str()), has_route(network, vip), add));
  if (const InterfaceAddress* where = misplaced(network, vip)) {
    found.push_back(finding(vip.str() + " nowhere else", false, why_misplaced(*where)));
  }
  return found;
}

std::vector<Finding> examine_settings(const Network& network) {
  std::vector<Finding> found;
  if (!network.loopback_up) found.push_back({"lo up", false, "ip link set lo up"});
  const auto all = network.arp.find("all");
  for (const auto& [interface, own] : network.arp) {
    if (interface == "all") continue;
    for (const Setting& setting : kSettings) {
      const int general = all == network.arp.end() ? 0 : all->second.*setting.member;
      const int effective = std::max(general, own.*setting.member);
      const bool ok = setting.holds(effective);
      const std::string remedy = effective > setting.value
                                     ? fmt::format("sysctl net.ipv4.conf.{}.{}={}",
                                                   general == effective ? "all" : interface, setting.key, setting.value)
                                     : "xdirector real-server add VIP";
      found.push_back(
          {fmt::format("effective {} = {} on {}", setting.key, effective, interface), ok, ok ? "" : remedy});
    }
  }
  return found;
}

}  // namespace real_server
