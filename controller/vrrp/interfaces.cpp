// SPDX-License-Identifier: Apache-2.0
#include "vrrp/interfaces.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

namespace vrrp {
namespace {

netlink::NewAddress to_new_address(const model::VirtualAddress& address) {
  netlink::NewAddress added(address.ip, address.prefix_length);
  added.label = address.label;
  added.broadcast = address.broadcast;
  added.scope = address.scope;
  return added;
}

// With priority 255 the addresses are the interface's own, and there whoever is MASTER.
bool owns_addresses(const model::VrrpInstance& instance) {
  return instance.priority == 255;
}

}  // namespace

Interface& Interfaces::at(const std::string& name) {
  return all_.try_emplace(name, loop_, netlink_, name).first->second;
}

void Interfaces::keep_only(const std::set<std::string>& names) {
  std::erase_if(all_, [&](const auto& named) { return !names.contains(named.first); });
}

void Interfaces::refresh(const std::vector<netlink::Link>& links, const std::vector<netlink::Address>& addresses,
                         const std::vector<base::Ip>& virtual_addresses) {
  for (auto& [name, interface] : all_) {
    const auto link = std::ranges::find(links, name, &netlink::Link::name);
    interface.refresh(link == links.end() ? std::nullopt : std::optional(*link), addresses, virtual_addresses);
  }
  on_lo_.clear();
  for (const netlink::Address& address : addresses) {
    const bool host = address.prefix_length == address.ip.bits();
    if (address.ifindex == netlink::kLoopback && host) on_lo_.push_back(address.ip);
  }
}

bool Interfaces::concerns(int index, const std::string& name) const {
  return index == netlink::kLoopback ||  // where addresses are that are served here
         std::ranges::any_of(all_, [&](auto& named) { return named.first == name || named.second.index() == index; });
}

const Interface* Interfaces::find(const std::string& name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

std::string Interfaces::problem_of(const model::VrrpInstance& instance) const {
  const Interface* own = find(instance.interface);
  if (own == nullptr) return instance.interface + " is not looked at";
  if (std::string problem = own->problem(family_of(instance)); !problem.empty()) return problem;
  for (const std::string& name : {hears_on(instance), sends_on(instance)}) {
    const Interface* other = find(name);
    if (other == nullptr) continue;
    if (std::string problem = other->problem(family_of(instance)); !problem.empty()) return problem;
  }
  if (owns_addresses(instance)) return {};
  for (const model::VirtualAddress& address : instance.all_addresses()) {
    const std::string& place = place_of(instance, address);
    const Interface* there = find(place);
    const auto foreign = there == nullptr ? std::nullopt : there->not_ours(address.ip);
    if (!foreign) continue;
    return fmt::format(
        "{0} is on {1} already, as /{2}, and not by xdirector: take it off (ip address del {0}/{2} dev {1}), or out of "
        "virtual_ipaddress; where it is {1}'s own address, give priority 255",
        address.ip.str(), place, foreign->prefix_length);
  }
  return {};
}

std::optional<base::Ip> Interfaces::source_of(const model::VrrpInstance& instance) const {
  // A macvlan has a link-local address of its own, but no IPv4 one.
  const Interface* from = find(instance.is_v6() ? sends_on(instance) : instance.interface);
  return from == nullptr ? std::nullopt : from->primary_address(instance.is_v6() ? AF_INET6 : AF_INET);
}

bool Interfaces::has_all_addresses_of(const model::VrrpInstance& instance) const {
  return std::ranges::all_of(instance.all_addresses(), [&](const model::VirtualAddress& address) {
    const Interface* there = find(place_of(instance, address));
    return there != nullptr && (there->has(address.ip, address.prefix_length) || there->not_ours(address.ip));
  });
}

bool Interfaces::has_on_lo(const base::Ip& ip) const {
  return std::ranges::find(on_lo_, ip) != on_lo_.end();
}

base::Result<> Interfaces::send(const std::string& interface, const Datagram& datagram) {
  return at(interface).send(datagram);
}

base::Result<netlink::Added> Interfaces::add(const std::string& interface, const model::VirtualAddress& address) {
  return at(interface).add(to_new_address(address));
}

base::Result<netlink::Removed> Interfaces::remove(const std::string& interface, const model::VirtualAddress& address) {
  return at(interface).remove(address.ip);
}

base::Result<> Interfaces::announce(const std::string& interface, const model::VirtualAddress& address, int times,
                                    base::Duration gap) {
  return at(interface).announce(address.ip, times, gap);
}

base::Result<netlink::NewRoute> Interfaces::to_new_route(const model::VirtualRoute& route) {
  netlink::NewRoute wanted{.destination = route.destination,
                           .prefix_length = route.prefix_length,
                           .via = route.via,
                           .source = route.source,
                           .ifindex = 0,
                           .table = route.table,
                           .metric = route.metric,
                           .scope = route.scope,
                           .on_link = route.on_link};
  if (route.device.empty()) return wanted;
  const auto link = netlink::find_link(netlink_, route.device);
  if (!link) return std::unexpected(link.error());
  if (!*link) {
    return base::fail(fmt::format("there is no {} for the route to {}/{}", route.device, route.destination.str(),
                                  route.prefix_length));
  }
  wanted.ifindex = (*link)->index;
  return wanted;
}

base::Result<netlink::Added> Interfaces::add_route(const model::VirtualRoute& route) {
  const auto wanted = to_new_route(route);
  if (!wanted) return std::unexpected(wanted.error());
  return netlink::add_route(netlink_, *wanted);
}

base::Result<netlink::Removed> Interfaces::remove_route(const model::VirtualRoute& route) {
  const auto wanted = to_new_route(route);
  if (!wanted) return netlink::Removed::before;  // with its interface
  return netlink::remove_route(netlink_, *wanted);
}

base::Result<netlink::Added> Interfaces::add_to_lo(const base::Ip& ip) {
  return netlink::add_address(netlink_, netlink::kLoopback, ip);
}

base::Result<netlink::Removed> Interfaces::remove_from_lo(const base::Ip& ip) {
  return netlink::remove_address(netlink_, {.ifindex = netlink::kLoopback, .ip = ip, .prefix_length = ip.bits()});
}

}  // namespace vrrp
