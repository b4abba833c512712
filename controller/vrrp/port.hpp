// SPDX-License-Identifier: Apache-2.0
// Port: what an instance does to the network. The seam between the protocol and the sockets: interface.hpp in life, a
// fake in tests.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "model/vrrp.hpp"
#include "netlink/addresses.hpp"
#include "vrrp/packet.hpp"

namespace vrrp {

class Port {
 public:
  virtual ~Port() = default;

  virtual base::Result<> send(const Datagram& datagram) = 0;
  virtual base::Result<netlink::Added> add(const model::VirtualAddress& address) = 0;
  virtual base::Result<netlink::Removed> remove(const model::VirtualAddress& address) = 0;
  virtual base::Result<netlink::Added> add_to_lo(const base::Ip& ip) = 0;
  virtual base::Result<netlink::Removed> remove_from_lo(const base::Ip& ip) = 0;
  virtual base::Result<> announce(const model::VirtualAddress& address, int times) = 0;  // gratuitous ARP, or its like
};

}  // namespace vrrp
