// SPDX-License-Identifier: Apache-2.0
#include "base/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstring>

namespace base {

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return from_network(address.s_addr);
}

std::string Ipv4::str() const {
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &network_, text, sizeof text);
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
