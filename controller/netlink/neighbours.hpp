// SPDX-License-Identifier: Apache-2.0
// Neighbours: who has which MAC address, as the kernel's neighbour tables know it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "netlink/socket.hpp"

namespace netlink {

enum class NeighbourState { none, incomplete, reachable, stale, delay, probe, failed, no_arp, permanent };
std::string_view name(NeighbourState state);  // as `ip neighbour` prints it

struct Neighbour {
  int ifindex = 0;
  base::Ip ip;
  std::optional<base::Mac> mac;  // in every state in which the kernel would send to it
  NeighbourState state = NeighbourState::none;

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

base::Result<std::vector<Neighbour>> neighbours(Socket& socket);

// As if a packet were to be sent there: the kernel resolves an unknown neighbour and revalidates a stale one. What it
// finds out comes as an event. Costs nothing when the neighbour is reachable.
base::Result<> probe(Socket& socket, int ifindex, const base::Ip& ip);

// The kernel asks a neighbour that it believes to know whether it is still there, at once. One that does not answer is
// `failed` after some seconds (an event), and so free to be found under another MAC address. What an operator has set
// is left alone, and so is one that is not known.
base::Result<> revalidate(Socket& socket, int ifindex, const base::Ip& ip);

// The neighbour that an RTM_NEWNEIGH or RTM_DELNEIGH message is about.
std::optional<Neighbour> decode_neighbour(const nlmsghdr* message);

}  // namespace netlink
