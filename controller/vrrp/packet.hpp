// SPDX-License-Identifier: Apache-2.0
// The advertisement of VRRP between bytes and values: version 2 (RFC 3768, authentication of RFC 2338) and version 3
// (RFC 5798, RFC 9568), over IPv4 and IPv6. Pure: nothing here touches a timer or a state, so a packet that is rejected
// cannot have had an effect.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "model/vrrp.hpp"

namespace vrrp {

inline constexpr uint8_t kProtocol = 112;
inline constexpr uint8_t kHopLimit = 255;
inline constexpr base::Ipv4 kGroup = base::Ipv4::from_host(0xe0000012);                                    // 224.0.0.18
inline constexpr base::Ip kGroup6{base::Ip::Bytes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};  // ff02::12

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
  unknown_peer,
  source_network,
  address_list,
};

struct Rejection {
  Reason reason = Reason::malformed_ip;
  base::Ip source;  // ::: when not even that could be read
  uint32_t got = 0, wanted = 0;
  base::Ip destination;  // for that Reason

  std::string str() const;  // "TTL 64 instead of 255". Never contains a password.
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

// An address of the interface, and with it the network on it.
struct Network {
  base::Ip address;
  uint8_t prefix_length = 0;
};

// Where an instance stands.
struct Place {
  base::Ip source;                         // from which it sends
  std::span<const Network> networks = {};  // of its interface; needed for check_source_network only
};

// `packet` begins with the IPv4 header, as a raw socket delivers it; bytes beyond the IP length are ignored.
std::expected<Datagram, Rejection> decode_ipv4(std::span<const uint8_t> packet);

std::expected<Advertisement, Rejection> decode(const Datagram& datagram, const model::VrrpInstance& instance,
                                               const Place& place);

// For whom a message is, unexamined. 0: it does not even say.
uint8_t peek_virtual_router_id(std::span<const uint8_t> message);

int family_of(const model::VrrpInstance& instance);  // AF_INET, AF_INET6

// To whom `instance` sends its advertisements, and with which TTL or hop limit.
std::vector<base::Ip> destinations(const model::VrrpInstance& instance);
uint8_t hop_limit(const model::VrrpInstance& instance);

// The message without an IP header, as `instance` sends it to `destination`.
std::vector<uint8_t> encode(const model::VrrpInstance& instance, uint8_t priority, const base::Ip& source,
                            const base::Ip& destination);

// With an IP header. IPv4's checksum and identification are left to the kernel.
std::vector<uint8_t> encode_ip(const Datagram& datagram);

}  // namespace vrrp
