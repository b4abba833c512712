// SPDX-License-Identifier: Apache-2.0
// VRRP as frames, for vrrp_peer: built and read from the RFCs alone, with nothing of the controller's, so that a
// mistake made there is not made here as well. Everything can be made wrong on purpose.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace peer {

using Bytes = std::vector<uint8_t>;
using Json = nlohmann::json;

// What a frame is sent from where its wish does not say.
struct Own {
  std::array<uint8_t, 6> mac{};
  std::string ipv4, ipv6_link_local;
};

// The frame that a wish describes; throws std::runtime_error where that makes no sense. All keys but one are optional:
//
//   vrid, priority (100), addresses ([]), version (2; 3 with an IPv6 address), interval (1 s, or 100 cs), type (1)
//   source, destination (the group), mac (of the destination), ttl (255)
//   auth_pass ("": none), auth_type (0, or 1 with auth_pass), without_auth (leaves the 8 bytes out)
//   count (instead of the number of addresses), reserved (the 4 bits before version 3's interval)
//   checksum: "right", "wrong", "message" or "pseudo" (version 3 over IPv4 is read in both ways; "pseudo" is "right")
//   trailing (bytes within the IP length), truncate (the message to so many bytes), padding (bytes after the packet)
//   ip_options (bytes, a multiple of 4), fragment (more fragments: true)
//   announce: ADDRESS: not an advertisement, but a gratuitous ARP or an unsolicited neighbour advertisement
Bytes frame(const Json& wish, const Own& own);

// An advertisement or an announcement, field by field; nullopt: the frame is something else.
std::optional<Json> describe(std::span<const uint8_t> frame);

}  // namespace peer
