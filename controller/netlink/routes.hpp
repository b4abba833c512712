// SPDX-License-Identifier: Apache-2.0
// Routes: how the kernel would send a packet to an address.
#pragma once

#include <optional>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct Route {
  int ifindex = 0;      // where it leaves
  bool direct = false;  // on a directly connected network: no gateway in between
  bool local = false;   // an address of this host
  base::Ip source;      // which own address the kernel would use; none: it has none

  friend bool operator==(const Route&, const Route&) = default;
};

base::Result<std::optional<Route>> route_to(Socket& socket, const base::Ip& ip);  // nullopt: unreachable

}  // namespace netlink
