// SPDX-License-Identifier: Apache-2.0
// The advertisement of VRRP version 2 (RFC 3768, authentication of RFC 2338) between bytes and values. Pure: nothing
// here touches a timer or a state, so a packet that is rejected cannot have had an effect.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "model/vrrp.hpp"

namespace vrrp {

inline constexpr uint8_t kProtocol = 112;
inline constexpr uint8_t kHopLimit = 255;
inline constexpr base::Ipv4 kGroup = base::Ipv4::from_host(0xe0000012);  // 224.0.0.18

// What an IP packet of protocol 112 says, whichever socket it came by. `message` is valid as long as the packet is.
struct Datagram {
  base::Ip source, destination;
  uint8_t hop_limit = 0;  // or TTL
  std::span<const uint8_t> message;
};

struct Advertisement {
  base::Ip source;  // of the IP header
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;  // 0: the MASTER resigns
  base::Duration interval{};
  std::vector<base::Ip> addresses;

  friend bool operator==(const Advertisement&, const Advertisement&) = default;
};

// In the order in which a received packet is examined.
enum class Reason {
  malformed_ip,
  fragment,
  protocol,
  destination,
  ttl,
  too_short,
  version,
  type,
  virtual_router_id,
  no_addresses,
  length,
  checksum,
  auth_type,
  password,
  advert_int,
  own_source,
};

struct Rejection {
  Reason reason = Reason::malformed_ip;
  base::Ip source;  // ::: when not even that could be read
  uint32_t got = 0, wanted = 0;

  std::string str() const;  // "TTL 64 instead of 255". Never contains a password.
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

// `packet` begins with the IPv4 header, as a raw socket delivers it; bytes beyond the IP length are ignored.
std::expected<Datagram, Rejection> decode_ipv4(std::span<const uint8_t> packet);

// `own_source`: from which this router sends.
std::expected<Advertisement, Rejection> decode(const Datagram& datagram, const model::VrrpInstance& instance,
                                               const base::Ip& own_source);

// For whom a message is, unexamined. 0: it does not even say.
uint8_t peek_virtual_router_id(std::span<const uint8_t> message);

// The message without an IP header, as `instance` sends it to `destination`.
std::vector<uint8_t> encode(const model::VrrpInstance& instance, uint8_t priority, const base::Ip& source,
                            const base::Ip& destination);

// With an IPv4 header. The IP checksum and identification are left to the kernel.
std::vector<uint8_t> encode_ipv4(const Datagram& datagram);

}  // namespace vrrp
