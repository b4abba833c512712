// SPDX-License-Identifier: Apache-2.0
// Addresses: the addresses of interfaces, and the virtual ones that are put there and taken away.
#pragma once

#include <optional>
#include <vector>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct Address {
  int ifindex = 0;
  base::Ip ip;
  uint8_t prefix_length = 32;
  bool secondary = false;  // follows another address of the same network

  friend bool operator==(const Address&, const Address&) = default;
};

base::Result<std::vector<Address>> addresses(Socket& socket);

// The IPv4 address that an interface is known by: its first one that has a network, else its first one, but none of
// `except` (the virtual addresses, which are not its own).
std::optional<base::Ipv4> primary_address(const std::vector<Address>& all, int ifindex,
                                          const std::vector<base::Ip>& except = {});

// A virtual address as /32 or /128 on an interface: never the source of the host's own connections where it is IPv6.
// Both succeed when there is nothing left to do.
enum class Added { now, before };
base::Result<Added> add_address(Socket& socket, int ifindex, const base::Ip& ip);
enum class Removed { now, before };  // before: the address, or the whole interface, was not there
base::Result<Removed> remove_address(Socket& socket, int ifindex, const base::Ip& ip);

// The address that an RTM_NEWADDR or RTM_DELADDR message is about.
std::optional<Address> decode_address(const nlmsghdr* message);

}  // namespace netlink
