// SPDX-License-Identifier: Apache-2.0
// Port: what an instance does to the network. The seam between the protocol and the sockets: interface.hpp in life, a
// fake in tests.
#pragma once

#include <cstdint>
#include <span>

#include "base/address.hpp"
#include "base/result.hpp"
#include "netlink/addresses.hpp"

namespace vrrp {

class Port {
 public:
  virtual ~Port() = default;

  virtual base::Result<> send(std::span<const uint8_t> ip_packet) = 0;
  virtual base::Result<netlink::Added> add(base::Ipv4 ip) = 0;
  virtual base::Result<netlink::Removed> remove(base::Ipv4 ip) = 0;
  virtual base::Result<netlink::Added> add_to_lo(base::Ipv4 ip) = 0;
  virtual base::Result<netlink::Removed> remove_from_lo(base::Ipv4 ip) = 0;
  virtual base::Result<> announce(base::Ipv4 ip) = 0;  // one burst of gratuitous ARP
};

}  // namespace vrrp
