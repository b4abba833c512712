// SPDX-License-Identifier: Apache-2.0
#include "control/virtual_routes.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>

#include "netlink/routes.hpp"

namespace control {
namespace {

bool is(const model::VirtualRoute& wanted, const netlink::NewRoute& found) {
  const uint32_t table = wanted.table != 0 ? wanted.table : static_cast<uint32_t>(RT_TABLE_MAIN);
  const bool same_metric = wanted.metric == 0 || wanted.metric == found.metric;
  return wanted.destination == found.destination && wanted.prefix_length == found.prefix_length &&
         table == found.table && same_metric;
}

bool is_configured(const model::Config& config, const netlink::NewRoute& route) {
  return std::ranges::any_of(config.vrrp_instances, [&](const model::VrrpInstance& instance) {
    return std::ranges::any_of(instance.virtual_routes, [&](const auto& wanted) { return is(wanted, route); });
  });
}

}  // namespace

base::Result<> remove_stray_routes(const model::Config& config) {
  auto socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  const auto routes = netlink::our_routes(*socket);
  if (!routes) return std::unexpected(routes.error());
  base::Result<> result;
  for (const netlink::NewRoute& route : *routes) {
    if (is_configured(config, route)) continue;
    if (const auto removed = netlink::remove_route(*socket, route); !removed) result = std::unexpected(removed.error());
  }
  return result;
}

}  // namespace control
