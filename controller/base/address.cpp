// SPDX-License-Identifier: Apache-2.0
#include "base/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace base {
namespace {

bool convert(int family, std::string_view text, void* address) {
  return !text.contains('\0') && inet_pton(family, std::string(text).c_str(), address) == 1;
}

}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  in_addr address{};
  if (!convert(AF_INET, text, &address)) return std::nullopt;
  return from_network(address.s_addr);
}

std::string Ipv4::str() const {
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &network_, text, sizeof text);
}

std::optional<Ip> Ip::parse(std::string_view text) {
  if (const auto v4 = Ipv4::parse(text)) return *v4;
  Bytes bytes{};
  if (!convert(AF_INET6, text, bytes.data())) return std::nullopt;
  const Ip ip(bytes);
  return ip.is_v6() ? std::optional(ip) : std::nullopt;
}

std::optional<Ip> Ip::from_network(const void* bytes, size_t size) {
  if (size == sizeof(Bytes)) {
    Bytes all{};
    std::memcpy(all.data(), bytes, size);
    return Ip(all);
  }
  uint32_t v4 = 0;
  if (size != sizeof v4) return std::nullopt;
  std::memcpy(&v4, bytes, size);
  return Ipv4::from_network(v4);
}

Ipv4 Ip::v4() const {
  uint32_t network = 0;
  std::memcpy(&network, &bytes_[12], sizeof network);
  return Ipv4::from_network(network);
}

int Ip::family() const {
  return is_v6() ? AF_INET6 : AF_INET;
}

std::span<const uint8_t> Ip::network() const {
  return std::span(bytes_).subspan(is_v6() ? 0 : 12);
}

std::string Ip::str() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family(), network().data(), text, sizeof text);
}

std::string Ip::str(uint16_t port) const {
  return fmt::format(fmt::runtime(is_v6() ? "[{}]:{}" : "{}:{}"), str(), port);
}

bool share_prefix(const Ip& a, const Ip& b, unsigned prefix) {
  if (a.is_v6() != b.is_v6()) return false;
  for (size_t i = 0; i < a.network().size() && prefix > 0; ++i) {
    const unsigned bits = std::min(prefix, 8U);
    const unsigned differ = unsigned{a.network()[i]} ^ unsigned { b.network()[i] };
    if (differ >> (8 - bits) != 0) return false;
    prefix -= bits;
  }
  return true;
}

bool is_multicast(const Ip& address) {
  return address.is_v6() ? address.bytes()[0] == 0xff : address.v4().host() >> 28 == 0xe;
}

bool is_link_local_v6(const Ip& address) {
  return address.bytes()[0] == 0xfe && address.bytes()[1] >> 6 == 2;
}

std::string_view why_no_host_address(const Ip& address) {
  if (address.is_v6()) {
    const Ip::Bytes& bytes = address.bytes();
    if (bytes[0] == 0xff) return "a multicast address";
    if (is_link_local_v6(address)) return "a link-local address, which does not say on which interface";
    if (address == Ip::parse("::1")) return "a loopback address";
    if (bytes[0] == 0) return "the unspecified or a reserved address";
    return {};
  }
  const uint32_t host = address.v4().host();
  if (host >> 24 == 0) return "the unspecified network";
  if (host >> 24 == 127) return "a loopback address";
  if (host >> 28 == 14) return "a multicast address";
  if (host >> 28 == 15) return "a broadcast or reserved address";
  return {};
}

std::optional<Mac> Mac::parse(std::string_view text) {
  std::array<uint8_t, 6> bytes{};
  if (text.size() != 17) return std::nullopt;
  for (size_t i = 0; i < 17; ++i) {
    if (i % 3 == 2) {
      if (text[i] != ':') return std::nullopt;
      continue;
    }
    const char c = text[i];
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return std::nullopt;
    bytes[i / 3] = static_cast<uint8_t>(bytes[i / 3] << 4 | digit);
  }
  return Mac(bytes);
}

Mac Mac::from_bytes(const void* six_bytes) {
  std::array<uint8_t, 6> bytes{};
  std::memcpy(bytes.data(), six_bytes, bytes.size());
  return Mac(bytes);
}

std::string Mac::str() const {
  return fmt::format("{:02x}", fmt::join(bytes_, ":"));
}

}  // namespace base
