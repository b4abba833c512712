// SPDX-License-Identifier: Apache-2.0
// Announcements: tell a network that an address now has our MAC address. Gratuitous ARP for IPv4, unsolicited neighbour
// advertisements (RFC 4861) for IPv6.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace vrrp {

using ArpFrame = std::array<uint8_t, 42>;
using NeighbourFrame = std::array<uint8_t, 86>;

// A broadcast ARP request in which sender and target are `ip`. (A request, not a reply: hosts heed it more widely.)
ArpFrame gratuitous_arp(base::Mac own, base::Ipv4 ip);

// To all nodes: override what they know. `router`: this host forwards IPv6 packets.
NeighbourFrame unsolicited_neighbour_advertisement(base::Mac own, const base::Ip& ip, bool router);

// Sends announcements on one interface.
class Announcer {
 public:
  static base::Result<Announcer> open(int ifindex);
  base::Result<> announce(base::Mac own, const base::Ip& ip, bool router) const;

 private:
  Announcer(base::Fd socket, int ifindex) : socket_(std::move(socket)), ifindex_(ifindex) {}
  base::Result<> send(std::span<const uint8_t> frame) const;

  base::Fd socket_;
  int ifindex_;
};

}  // namespace vrrp
