// SPDX-License-Identifier: Apache-2.0
// AdvertSocket: advertisements in and out of one interface, whole IP packets both ways. All instances on an interface
// share one, so that an advertisement is received once however many instances there are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "vrrp/packet.hpp"

namespace vrrp {

class AdvertSocket {
 public:
  // Joins 224.0.0.18 on the interface. It need not be up.
  static base::Result<AdvertSocket> open(int ifindex, const std::string& name);

  // Success means that the packet was handed to the interface: one that a firewall or a full queue dropped on the way
  // there is an error. (What the wire does to it no one can know.)
  base::Result<> send(const Datagram& datagram) const;

  // The next waiting packet, valid until the next call; nullopt: none is waiting.
  std::optional<Datagram> receive();

  int fd() const { return receiver_.get(); }  // readable: a packet waits

 private:
  AdvertSocket(base::Fd sender, base::Fd receiver) : sender_(std::move(sender)), receiver_(std::move(receiver)) {}

  base::Fd sender_, receiver_;
  std::array<uint8_t, 2048> buffer_{};  // larger than any advertisement: one that is cut short is malformed
};

}  // namespace vrrp
