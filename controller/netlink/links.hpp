// SPDX-License-Identifier: Apache-2.0
// Links: the kernel's network interfaces.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

// Of a VLAN sub-interface.
struct Vlan {
  int parent = 0;  // index; 0: in another network namespace
  uint16_t id = 0;

  friend bool operator==(const Vlan&, const Vlan&) = default;
};

// Of a bond; the numbers are those of linux/if_bonding.h.
struct Bond {
  uint8_t mode = 0, hash_policy = 0;

  friend bool operator==(const Bond&, const Bond&) = default;
};

inline constexpr int kLoopback = 1;  // the index of lo, in every network namespace

struct Link {
  int index = 0;
  std::string name;
  base::Mac mac;         // zero where the interface has no Ethernet address
  bool up = false;       // administratively
  bool running = false;  // has carrier: frames can pass
  bool ethernet = true;
  uint32_t mtu = 0;
  std::string kind;      // as `ip link show type KIND` has it; empty: a device of hardware
  std::string alias;     // a text that an operator, or we, have put there
  int master = 0;        // index of the bond or bridge that it is a port of
  int macvlan_base = 0;  // of a macvlan: index of what it is on top of, in this network namespace
  std::optional<Vlan> vlan;
  std::optional<Bond> bond;

  friend bool operator==(const Link&, const Link&) = default;
};

base::Result<std::vector<Link>> links(Socket& socket);
base::Result<std::optional<Link>> find_link(Socket& socket, const std::string& name);  // nullopt: there is none

// The link that an RTM_NEWLINK or RTM_DELLINK message is about. nullopt: another kind of message (a bridge port's,
// say).
std::optional<Link> decode_link(const nlmsghdr* message);

}  // namespace netlink
