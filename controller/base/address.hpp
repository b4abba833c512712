// SPDX-License-Identifier: Apache-2.0
// Ip, Ipv4 and Mac: plain values that parse, print, compare and hash.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
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

// An IPv4 or an IPv6 address: 16 bytes in network byte order, IPv4 as ::ffff:a.b.c.d. Ipv4 is for what can be nothing
// else (VRRP version 2, ARP).
class Ip {
 public:
  using Bytes = std::array<uint8_t, 16>;

  constexpr Ip() = default;   // ::, which stands for "none"
  constexpr Ip(Ipv4 address)  // NOLINT(google-explicit-constructor): nothing is lost
      : bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff} {
    for (size_t i = 0; i < 4; ++i) bytes_[12 + i] = static_cast<uint8_t>(address.host() >> (24 - 8 * i));
  }
  constexpr explicit Ip(const Bytes& bytes) : bytes_(bytes) {}

  // Both notations. Neither ::ffff:a.b.c.d (it would be IPv4 under another name) nor a scope (fe80::1%eth0).
  static std::optional<Ip> parse(std::string_view text);
  // The 4 or 16 bytes of a packet or of a message of the kernel, network byte order; nullopt: another length.
  static std::optional<Ip> from_network(const void* bytes, size_t size);

  constexpr bool is_v6() const { return !std::ranges::equal(std::span(bytes_).first(12), kMapped); }
  constexpr const Bytes& bytes() const { return bytes_; }
  Ipv4 v4() const;  // unless is_v6()

  int family() const;                                  // AF_INET, AF_INET6
  std::span<const uint8_t> network() const;            // 4 or 16 bytes, as sockets and the kernel have them
  uint8_t bits() const { return is_v6() ? 128 : 32; }  // the prefix length of a single host
  std::string str() const;                             // as RFC 5952 writes it
  std::string str(uint16_t port) const;                // "192.168.100.34:80", "[2001:db8::34]:80"

  friend constexpr bool operator==(const Ip&, const Ip&) = default;
  friend constexpr std::strong_ordering operator<=>(const Ip& a, const Ip& b) {  // IPv4 before IPv6, then numeric
    return a.is_v6() != b.is_v6() ? a.is_v6() <=> b.is_v6() : a.bytes_ <=> b.bytes_;
  }

 private:
  static constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  Bytes bytes_{};
};

// Whether the first `prefix` bits of both, of one family, are the same.
bool share_prefix(const Ip& a, const Ip& b, unsigned prefix);

bool is_multicast(const Ip& address);

bool is_link_local_v6(const Ip& address);  // fe80::/10

// Why no host can have this address, as the end of "it is ..."; empty: a host can. Link-local IPv6 counts as none: it
// does not say on which interface.
std::string_view why_no_host_address(const Ip& address);

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

template <>
struct std::hash<base::Ip> {
  size_t operator()(const base::Ip& ip) const noexcept {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(ip.bytes().data()), ip.bytes().size()});
  }
};
