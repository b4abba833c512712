// SPDX-License-Identifier: Apache-2.0
// Ipv4 and Mac: plain values that parse, print, compare and hash. IPv6 has its own issue; it will stand beside Ipv4.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// An IPv4 address. `network()` is what packets, sockets and BPF maps hold (network byte order).
class Ipv4 {
 public:
  constexpr Ipv4() = default;
  static std::optional<Ipv4> parse(std::string_view text);  // dotted quad only
  static constexpr Ipv4 from_network(uint32_t value) { return Ipv4(value); }
  static constexpr Ipv4 from_host(uint32_t value) { return Ipv4(__builtin_bswap32(value)); }

  constexpr uint32_t network() const { return network_; }
  constexpr uint32_t host() const { return __builtin_bswap32(network_); }
  std::string str() const;

  friend constexpr bool operator==(Ipv4, Ipv4) = default;
  friend constexpr auto operator<=>(Ipv4 a, Ipv4 b) { return a.host() <=> b.host(); }  // numeric order

 private:
  constexpr explicit Ipv4(uint32_t network) : network_(network) {}
  uint32_t network_ = 0;
};

class Mac {
 public:
  constexpr Mac() = default;
  constexpr explicit Mac(std::array<uint8_t, 6> bytes) : bytes_(bytes) {}
  static std::optional<Mac> parse(std::string_view text);  // aa:bb:cc:dd:ee:ff
  static Mac from_bytes(const void* six_bytes);

  const std::array<uint8_t, 6>& bytes() const { return bytes_; }
  std::string str() const;

  friend constexpr auto operator<=>(const Mac&, const Mac&) = default;

 private:
  std::array<uint8_t, 6> bytes_{};
};

inline constexpr Mac kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace base

template <>
struct std::hash<base::Ipv4> {
  size_t operator()(base::Ipv4 ip) const noexcept { return std::hash<uint32_t>()(ip.network()); }
};
