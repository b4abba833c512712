// SPDX-License-Identifier: Apache-2.0
#include "control/virtual_macs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "netlink/sysctl.hpp"

namespace control {
namespace {

class Planner {
 public:
  Planner(const model::Config& config, const Links& links, const std::set<int>& in_use)
      : config_(config), links_(links), in_use_(in_use) {}

  VirtualMacPlan plan() {
    for (const model::VrrpInstance& instance : config_.vrrp_instances) {
      if (instance.use_vmac) consider(instance);
    }
    for (const auto& [index, link] : links_) {
      const bool left_over = netlink::is_our_macvlan(link) && !wanted_.contains(link.name);
      if (left_over && !in_use_.contains(index)) plan_.remove.push_back(index);
    }
    return std::move(plan_);
  }

 private:
  void consider(const model::VrrpInstance& instance) {
    wanted_.insert(instance.vmac_name);
    const auto below = find_link(links_, instance.interface);
    if (!below) return;  // it will come, and this will be asked again
    const netlink::NewMacvlan wanted{.name = instance.vmac_name, .parent = below->index, .mac = virtual_mac(instance)};
    const auto there = find_link(links_, instance.vmac_name);
    if (there && !netlink::is_our_macvlan(*there)) {
      plan_.problems.push_back(fmt::format(
          "{}: there is an interface {} already, and not by xdirector: remove it (ip link del {}), or give another "
          "vmac_name",
          instance.name, there->name, there->name));
      return;
    }
    const bool alike = there && there->mac == wanted.mac && there->macvlan_base == wanted.parent && there->up;
    if (there && !alike) plan_.remove.push_back(there->index);
    if (!alike) plan_.add.push_back(wanted);
    if (alike && instance.is_v6()) plan_.addresses.push_back({there->index, link_local(instance, below->mac)});
  }

  const model::Config& config_;
  const Links& links_;
  const std::set<int>& in_use_;
  std::set<std::string> wanted_;
  VirtualMacPlan plan_;
};

}  // namespace

base::Mac virtual_mac(const model::VrrpInstance& instance) {
  const uint8_t family = instance.is_v6() ? 2 : 1;
  return base::Mac({0x00, 0x00, 0x5e, 0x00, family, instance.virtual_router_id});
}

// As RFC 4291 makes one from a MAC address, with our own two bytes in the middle in place of ff:fe.
base::Ip link_local(const model::VrrpInstance& instance, base::Mac below) {
  const auto& mac = below.bytes();
  base::Ip::Bytes bytes{0xfe, 0x80};
  const std::array<uint8_t, 8> tail{static_cast<uint8_t>(mac[0] ^ 2u), mac[1], mac[2], 0x5e,
                                    instance.virtual_router_id,        mac[3], mac[4], mac[5]};
  std::ranges::copy(tail, bytes.begin() + 8);
  return base::Ip(bytes);
}

VirtualMacPlan plan_virtual_macs(const model::Config& config, const Links& links, const std::set<int>& in_use) {
  return Planner(config, links, in_use).plan();
}

std::vector<std::string> hold_virtual_macs(const model::Config& config, const std::set<int>& in_use) {
  auto socket = netlink::Socket::open();
  if (!socket) return {socket.error().message};
  const auto read = netlink::links(*socket);
  if (!read) return {read.error().message};
  Links links;
  for (const netlink::Link& link : *read) links[link.index] = link;
  VirtualMacPlan plan = plan_virtual_macs(config, links, in_use);
  auto note = [&](const base::Result<>& done) {
    if (!done) plan.problems.push_back(done.error().message);
    return done.has_value();
  };
  for (const int ifindex : plan.remove) note(netlink::remove_macvlan(*socket, ifindex));
  for (const netlink::NewMacvlan& macvlan : plan.add) {
    if (!note(netlink::add_macvlan(*socket, macvlan))) continue;
    base::log::info("{}: made, with the MAC address {}", macvlan.name, macvlan.mac.str());
  }
  for (const auto& [ifindex, ip] : plan.addresses) note(netlink::add_link_local(*socket, ifindex, ip));
  const auto filter = netlink::ipv4_conf("all", "rp_filter");
  const bool any = std::ranges::any_of(config.vrrp_instances, &model::VrrpInstance::use_vmac);
  if (any && filter && *filter != 0) {
    plan.problems.emplace_back(
        "use_vmac: net.ipv4.conf.all.rp_filter is not 0, and outranks that of the macvlan, which would hear nothing: "
        "set it to 0, and to 1 or 2 for each interface in its stead");
  }
  return std::move(plan.problems);
}

base::Result<> remove_virtual_macs() {
  auto socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  const auto links = netlink::links(*socket);
  if (!links) return std::unexpected(links.error());
  base::Result<> result;
  for (const netlink::Link& link : *links) {
    if (!netlink::is_our_macvlan(link)) continue;
    if (const auto done = netlink::remove_macvlan(*socket, link.index); !done) result = done;
  }
  return result;
}

}  // namespace control
