// SPDX-License-Identifier: Apache-2.0
// Gratuitous ARP: tells a network that an address now has our MAC address.
#pragma once

#include <array>
#include <cstdint>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace vrrp {

using ArpFrame = std::array<uint8_t, 42>;

// A broadcast ARP request in which sender and target are `ip`. (A request, not a reply: hosts heed it more widely.)
ArpFrame gratuitous_arp(base::Mac own, base::Ipv4 ip);

// Sends gratuitous ARP on one interface.
class Announcer {
 public:
  static base::Result<Announcer> open(int ifindex);
  base::Result<> announce(base::Mac own, const base::Ip& ip, int times) const;

 private:
  Announcer(base::Fd socket, int ifindex) : socket_(std::move(socket)), ifindex_(ifindex) {}
  base::Fd socket_;
  int ifindex_;
};

}  // namespace vrrp
