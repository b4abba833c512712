// SPDX-License-Identifier: Apache-2.0
// Links: the kernel's network interfaces.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct Link {
  int index = 0;
  std::string name;
  base::Mac mac;         // zero where the interface has no Ethernet address
  bool up = false;       // administratively
  bool running = false;  // has carrier: frames can pass

  friend bool operator==(const Link&, const Link&) = default;
};

base::Result<std::vector<Link>> links(Socket& socket);
base::Result<std::optional<Link>> find_link(Socket& socket, const std::string& name);  // nullopt: there is none

// The link that an RTM_NEWLINK or RTM_DELLINK message is about. nullopt: another kind of message (a bridge port's,
// say).
std::optional<Link> decode_link(const nlmsghdr* message);

}  // namespace netlink
