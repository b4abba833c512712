// SPDX-License-Identifier: Apache-2.0
#include "real_server/host.hpp"

#include <fmt/format.h>

#include <utility>

#include "netlink/addresses.hpp"
#include "netlink/host_routes.hpp"
#include "netlink/links.hpp"
#include "netlink/sysctl.hpp"

namespace real_server {
namespace {

template <typename... F>
struct Overload : F... {
  using F::operator()...;
};

base::Result<ArpSettings> arp_settings(const std::string& interface) {
  const auto ignore = netlink::ipv4_conf(interface, "arp_ignore");
  if (!ignore) return std::unexpected(ignore.error());
  const auto announce = netlink::ipv4_conf(interface, "arp_announce");
  if (!announce) return std::unexpected(announce.error());
  return ArpSettings{.ignore = *ignore, .announce = *announce};
}

template <typename T>
base::Result<> done(const base::Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

}  // namespace

Change inverse(const Change& change) {
  return std::visit(
      Overload{[](AddressChange c) -> Change { return AddressChange{.vip = c.vip, .present = !c.present}; },
               [](RouteChange c) -> Change { return RouteChange{.vip = c.vip, .present = !c.present}; },
               [](SysctlChange c) -> Change {
                 std::swap(c.from, c.to);
                 return c;
               }},
      change);
}

std::string words(const Change& change) {
  return std::visit(
      Overload{[](const AddressChange& c) {
                 return fmt::format("{}/{} {} lo", c.vip.str(), c.vip.bits(), c.present ? "added to" : "removed from");
               },
               [](const RouteChange& c) {
                 return fmt::format("route {} dev lo {}", c.vip.str(), c.present ? "added" : "removed");
               },
               [](const SysctlChange& c) {
                 return fmt::format("net.ipv4.conf.{}.{} = {} (was {})", c.interface, c.key, c.to, c.from);
               }},
      change);
}

base::Result<SystemHost> SystemHost::open() {
  auto socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  const auto loopback = netlink::find_link(*socket, "lo");
  if (!loopback) return std::unexpected(loopback.error());
  if (!*loopback) return base::fail("this host has no interface lo");
  return SystemHost(std::move(*socket), (*loopback)->index);
}

base::Result<Network> SystemHost::network() {
  const auto links = netlink::links(socket_);
  if (!links) return std::unexpected(links.error());
  const auto addresses = netlink::addresses(socket_);
  if (!addresses) return std::unexpected(addresses.error());
  auto routes = netlink::host_routes(socket_, loopback_);
  if (!routes) return std::unexpected(routes.error());

  Network network{.loopback_up = false, .addresses = {}, .loopback_routes = std::move(*routes), .arp = {}};
  auto all = arp_settings("all");
  if (!all) return std::unexpected(all.error());
  network.arp["all"] = *all;
  for (const netlink::Link& link : *links) {
    if (link.index == loopback_) network.loopback_up = link.up;
    auto own = arp_settings(link.name);
    if (!own) return std::unexpected(own.error());
    network.arp[link.name] = *own;
    for (const netlink::Address& address : *addresses) {
      if (address.ifindex == link.index) network.addresses.push_back({link.name, address.ip, address.prefix_length});
    }
  }
  return network;
}

base::Result<> SystemHost::make(const Change& change) {
  return std::visit(
      Overload{[this](const AddressChange& c) {
                 return c.present ? done(netlink::add_address(socket_, loopback_, c.vip))
                                  : done(netlink::remove_address(
                                        socket_, {.ifindex = loopback_, .ip = c.vip, .prefix_length = c.vip.bits()}));
               },
               [this](const RouteChange& c) {
                 return c.present ? done(netlink::add_host_route(socket_, loopback_, c.vip))
                                  : done(netlink::remove_host_route(socket_, loopback_, c.vip));
               },
               [](const SysctlChange& c) { return netlink::set_ipv4_conf(c.interface, c.key, c.to); }},
      change);
}

}  // namespace real_server
