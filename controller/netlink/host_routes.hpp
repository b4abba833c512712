// SPDX-License-Identifier: Apache-2.0
// Host routes: `ip route add VIP/32 dev INTERFACE`, in the main table.
#pragma once

#include <vector>

#include "base/address.hpp"
#include "netlink/addresses.hpp"

namespace netlink {

base::Result<std::vector<base::Ipv4>> host_routes(Socket& socket, int ifindex);

// Both succeed when there is nothing left to do.
base::Result<Added> add_host_route(Socket& socket, int ifindex, base::Ipv4 ip);
base::Result<Removed> remove_host_route(Socket& socket, int ifindex, base::Ipv4 ip);

}  // namespace netlink
