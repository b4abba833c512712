// SPDX-License-Identifier: Apache-2.0
// Routes: how the kernel would send a packet to an address; and the virtual ones that are put there and taken away.
#pragma once

#include <optional>
#include <vector>

#include "base/address.hpp"
#include "netlink/addresses.hpp"
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

// A virtual route. The kernel keeps a mark with it by which it is ours, also for a process that comes later.
struct NewRoute {
  base::Ip destination;
  uint8_t prefix_length = 0;
  std::optional<base::Ip> via, source;
  int ifindex = 0;       // 0: whichever leads to `via`
  uint32_t table = 0;    // 0: main
  uint32_t metric = 0;   // 0: the kernel's default
  uint8_t scope = 0;     // RT_SCOPE_UNIVERSE; IPv4 without `via`: at least RT_SCOPE_LINK
  bool on_link = false;  // `via` is on the link, though no address of ours says so

  friend bool operator==(const NewRoute&, const NewRoute&) = default;
};

// Added::before: there is one to that destination in that table with that metric, ours or not.
base::Result<Added> add_route(Socket& socket, const NewRoute& route);
// None but one of ours; what is left open (0, nullopt) may be anything. One that is not there is no error.
base::Result<Removed> remove_route(Socket& socket, const NewRoute& route);
base::Result<std::vector<NewRoute>> our_routes(Socket& socket);  // of all tables

}  // namespace netlink
