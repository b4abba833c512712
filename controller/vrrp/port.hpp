// SPDX-License-Identifier: Apache-2.0
// Port: what instances do to the network. The seam between the protocol and the sockets: interfaces.hpp in life, a fake
// in tests. Interfaces go by their names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "model/vrrp.hpp"
#include "netlink/addresses.hpp"
#include "vrrp/packet.hpp"

namespace vrrp {

// An instance's interface as it is now.
struct InterfaceState {
  std::string problem;             // why it cannot be used; empty: it can
  bool only_down = false;          // the problem is that it is down or has no carrier: dont_track_primary lives with it
  std::optional<base::Ip> source;  // its own address of the instance's family
  std::vector<Network> networks;   // that it is in
};

class Port {
 public:
  virtual ~Port() = default;

  virtual base::Result<> send(const std::string& interface, const Datagram& datagram) = 0;
  // Where model::place_of() says.
  virtual base::Result<netlink::Added> add(const std::string& interface, const model::VirtualAddress& address) = 0;
  virtual base::Result<netlink::Removed> remove(const std::string& interface, const model::VirtualAddress& address) = 0;
  // Gratuitous ARP, or its like, `gap` apart (zero: back to back); 0 times: stops what is still going on.
  virtual base::Result<> announce(const std::string& interface, const model::VirtualAddress& address, int times,
                                  base::Duration gap) = 0;
  virtual base::Result<netlink::Added> add_route(const model::VirtualRoute& route) = 0;
  virtual base::Result<netlink::Removed> remove_route(const model::VirtualRoute& route) = 0;
  virtual base::Result<netlink::Added> add_to_lo(const base::Ip& ip) = 0;
  virtual base::Result<netlink::Removed> remove_from_lo(const base::Ip& ip) = 0;
};

}  // namespace vrrp
