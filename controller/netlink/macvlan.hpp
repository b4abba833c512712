// SPDX-License-Identifier: Apache-2.0
// Macvlan: an interface with a MAC address of its own on top of another one, for a virtual router's MAC address.
#pragma once

#include <string>

#include "base/address.hpp"
#include "netlink/links.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct NewMacvlan {
  std::string name;
  int parent = 0;  // index
  base::Mac mac;
};

// Mode private, administratively up; without any IPv6 address of the kernel's own making. It is marked as ours.
base::Result<> add_macvlan(Socket& socket, const NewMacvlan& macvlan);
base::Result<> remove_macvlan(Socket& socket, int ifindex);  // also when there is none

// What it sends IPv6 advertisements from; usable at once. It is the interface's own, not a virtual address.
base::Result<> add_link_local(Socket& socket, int ifindex, const base::Ip& ip);

// One of ours, from this or an earlier run.
bool is_our_macvlan(const Link& link);

}  // namespace netlink
