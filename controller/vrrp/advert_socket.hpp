// SPDX-License-Identifier: Apache-2.0
// AdvertSocket: advertisements in and out of one interface, of one family. All instances of a family on an interface
// share one, so that an advertisement is received once however many instances there are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "vrrp/packet.hpp"

namespace vrrp {

class AdvertSocket {
 public:
  // `family`: AF_INET or AF_INET6. Joins its group on the interface, which need not be up; what is sent to one of this
  // host's addresses comes in, too.
  static base::Result<AdvertSocket> open(int ifindex, const std::string& name, int family);

  // To the group or to one host, from whichever address the datagram says. Success means that the packet was handed to
  // the interface: one that a firewall or a full queue dropped on the way there is an error. (What the wire does to it
  // no one can know.)
  base::Result<> send(const Datagram& datagram) const;

  // The next waiting packet, valid until the next call; nullopt: none is waiting.
  std::optional<Datagram> receive();

  int fd() const { return receiver_.get(); }  // readable: a packet waits

 private:
  // Larger than any advertisement (8 + 255 × 16, or with IPv4's header 60 + 8 + 255 × 4 + 8): one that is cut short is
  // malformed.
  using Buffer = std::array<uint8_t, 4200>;

  AdvertSocket(base::Fd sender, base::Fd receiver, int ifindex, int family)
      : sender_(std::move(sender)), receiver_(std::move(receiver)), ifindex_(ifindex), family_(family) {}
  std::optional<Datagram> receive_ipv4();
  std::optional<Datagram> receive_ipv6();

  base::Fd sender_, receiver_;
  int ifindex_;
  int family_;
  Buffer buffer_{};
};

}  // namespace vrrp
