// SPDX-License-Identifier: Apache-2.0
// Addresses: the addresses of interfaces, and the virtual ones that are put there and taken away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct Address {
  int ifindex = 0;
  base::Ip ip;
  uint8_t prefix_length = 32;
  bool secondary = false;  // follows another address of the same network
  bool usable = true;      // an IPv6 one is not while, or after, duplicate address detection finds it in use elsewhere
  bool ours = false;       // put there by add_address()

  friend bool operator==(const Address&, const Address&) = default;
};

base::Result<std::vector<Address>> addresses(Socket& socket);

// The address of its own that an interface sends from; never one of ours, nor one of `except`. IPv4: its first one that
// has a network, else its first one. IPv6: the link-local one.
std::optional<base::Ip> primary_address(const std::vector<Address>& all, int ifindex, int family,
                                        const std::vector<base::Ip>& except = {});

// A virtual address. The kernel keeps a mark with it by which it is `ours`, also for a process that comes later.
struct NewAddress {
  NewAddress(const base::Ip& host) : ip(host), prefix_length(host.bits()) {}  // NOLINT: as /32 or /128
  NewAddress(base::Ipv4 host) : NewAddress(base::Ip(host)) {}                 // NOLINT: the same
  NewAddress(const base::Ip& address, uint8_t prefix) : ip(address), prefix_length(prefix) {}

  base::Ip ip;
  uint8_t prefix_length;
  std::string label = {};                    // empty: none. This and the next: IPv4 only
  std::optional<base::Ipv4> broadcast = {};  // none: none
  uint8_t scope = 0;                         // RT_SCOPE_UNIVERSE; IPv6: the kernel knows better
};

// Never the source of the host's own connections where it is IPv6. Succeeds when there is nothing left to do: IPv4,
// that prefix was there before; IPv6, with whatever prefix.
enum class Added { now, before };
base::Result<Added> add_address(Socket& socket, int ifindex, const NewAddress& address);

// Each succeeds when there is nothing left to do.
enum class Removed { now, before };  // before: the address, or the whole interface, was not there
enum class Whose { ours, anyones };
base::Result<Removed> remove_address(Socket& socket, const Address& address);  // by interface, address and prefix
base::Result<Removed> remove_address(Socket& socket, int ifindex, const base::Ip& ip, Whose whose);  // any prefix

// The address that an RTM_NEWADDR or RTM_DELADDR message is about.
std::optional<Address> decode_address(const nlmsghdr* message);

}  // namespace netlink
