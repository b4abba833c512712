// SPDX-License-Identifier: Apache-2.0
// Advertisements of another router, as whole IPv4 packets.
#pragma once

#include <string_view>

#include "vrrp/packet.hpp"

namespace test {

using namespace vrrp;

// An instance that would send `advertisement`.
inline model::VrrpInstance sender_of(const Advertisement& advertisement, std::string_view auth_pass) {
  model::VrrpInstance instance{.virtual_router_id = advertisement.virtual_router_id,
                               .advert_int = advertisement.interval,
                               .auth_pass = std::string(auth_pass)};
  instance.virtual_addresses.assign(advertisement.addresses.begin(), advertisement.addresses.end());
  return instance;
}

inline std::vector<uint8_t> packet_of(const Advertisement& advertisement, std::string_view auth_pass,
                                      uint8_t version = 2) {
  model::VrrpInstance sender = sender_of(advertisement, auth_pass);
  sender.version = version;
  const auto message = encode(sender, advertisement.priority, advertisement.source, kGroup);
  return encode_ip({.source = advertisement.source, .destination = kGroup, .hop_limit = kHopLimit, .message = message});
}

inline std::expected<Advertisement, Rejection> decode_packet(std::span<const uint8_t> packet,
                                                             const model::VrrpInstance& instance,
                                                             const base::Ip& own_source = {}) {
  const auto datagram = decode_ipv4(packet);
  if (!datagram) return std::unexpected(datagram.error());
  return decode(*datagram, instance, {.source = own_source});
}

}  // namespace test
