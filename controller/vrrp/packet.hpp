// SPDX-License-Identifier: Apache-2.0
// The advertisement of VRRP version 2 (RFC 3768, authentication of RFC 2338) between bytes and values. Pure: nothing
// here touches a timer or a state, so a packet that is rejected cannot have had an effect.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace vrrp {

inline constexpr uint8_t kProtocol = 112;
inline constexpr base::Ipv4 kGroup = base::Ipv4::from_host(0xe0000012);  // 224.0.0.18

struct Advertisement {
  base::Ipv4 source;  // of the IP header
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;    // 0: the MASTER resigns
  uint8_t advert_int = 0;  // seconds
  std::vector<base::Ipv4> addresses;

  friend bool operator==(const Advertisement&, const Advertisement&) = default;
};

// What an advertisement must agree with to be heard.
struct Expected {
  uint8_t virtual_router_id = 0;
  uint8_t advert_int = 0;      // seconds
  std::string_view auth_pass;  // empty: authentication type 0
  base::Ipv4 own_source;
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
  base::Ipv4 source;  // 0.0.0.0 when not even that could be read
  uint32_t got = 0, wanted = 0;

  std::string str() const;  // "TTL 64 instead of 255". Never contains a password.
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

// `packet` begins with the IP header, as a raw socket delivers it; bytes beyond the IP length are ignored.
std::expected<Advertisement, Rejection> decode(std::span<const uint8_t> packet, const Expected& expected);

// For whom a packet is, unexamined. 0: it does not even say.
uint8_t peek_virtual_router_id(std::span<const uint8_t> packet);

// IP header and message. The IP checksum and identification are left to the kernel.
std::vector<uint8_t> encode(const Advertisement& advertisement, std::string_view auth_pass);

}  // namespace vrrp
