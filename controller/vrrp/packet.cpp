// SPDX-License-Identifier: Apache-2.0
#include "vrrp/packet.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace vrrp {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kIpHeader = 20, kHeader = 8, kAddress = 4, kAuthentication = 8;
constexpr uint8_t kTos = 0xc0;  // internetwork control
constexpr uint8_t kVersion = 2, kTypeAdvertisement = 1;
constexpr uint8_t kAuthNone = 0, kAuthPass = 1;

uint16_t u16(Bytes b, size_t at) {
  return static_cast<uint16_t>(b[at] << 8 | b[at + 1]);
}

base::Ip address(Bytes b, size_t at) {
  return base::Ip::from_network(&b[at], kAddress).value_or(base::Ip());
}

void append(std::vector<uint8_t>& to, const base::Ip& ip) {
  const Bytes bytes = ip.network();
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// RFC 1071. Over a message that contains its own checksum it is 0 when that is right.
uint16_t internet_checksum(Bytes b) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < b.size(); i += 2) sum += u16(b, i);
  if (b.size() % 2 != 0) sum += static_cast<uint32_t>(b.back()) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::array<uint8_t, kAuthentication> authentication_data(std::string_view auth_pass) {
  std::array<uint8_t, kAuthentication> data{};
  std::memcpy(data.data(), auth_pass.data(), std::min(auth_pass.size(), data.size()));
  return data;
}

// In constant time: how long it takes tells nothing about where a guess went wrong.
bool same_password(Bytes received, std::string_view auth_pass) {
  const auto own = authentication_data(auth_pass);
  uint8_t difference = 0;
  for (size_t i = 0; i < own.size(); ++i) difference = static_cast<uint8_t>(difference | (own.at(i) ^ received[i]));
  return difference == 0;
}

// Version 2 carries whole seconds.
uint8_t seconds_of(base::Duration interval) {
  return static_cast<uint8_t>(interval / std::chrono::seconds(1));
}

}  // namespace

std::expected<Datagram, Rejection> decode_ipv4(Bytes b) {
  if (b.size() < kIpHeader) return std::unexpected(Rejection{.reason = Reason::malformed_ip, .source = {}});
  const base::Ip source = address(b, 12);
  auto reject = [&](Reason reason, uint32_t got = 0, uint32_t wanted = 0) {
    return std::unexpected(Rejection{reason, source, got, wanted});
  };
  const size_t header = static_cast<size_t>(b[0] & 0xf) * 4;
  const size_t total = u16(b, 2);
  if (b[0] >> 4 != 4 || header < kIpHeader || total < header || total > b.size()) return reject(Reason::malformed_ip);
  if ((u16(b, 6) & 0x3fff) != 0) return reject(Reason::fragment);  // more to come, or not the first
  if (b[9] != kProtocol) return reject(Reason::protocol, b[9], kProtocol);
  return Datagram{
      .source = source, .destination = address(b, 16), .hop_limit = b[8], .message = b.subspan(header, total - header)};
}

std::expected<Advertisement, Rejection> decode(const Datagram& datagram, const model::VrrpInstance& instance,
                                               const base::Ip& own_source) {
  auto reject = [&](Reason reason, size_t got, size_t wanted) {
    return std::unexpected(
        Rejection{reason, datagram.source, static_cast<uint32_t>(got), static_cast<uint32_t>(wanted)});
  };
  if (datagram.destination != kGroup) {
    return reject(Reason::destination, datagram.destination.is_v6() ? 0 : datagram.destination.v4().host(),
                  kGroup.host());
  }
  if (datagram.hop_limit != kHopLimit) return reject(Reason::ttl, datagram.hop_limit, kHopLimit);
  const Bytes b = datagram.message;
  if (b.size() < kHeader) return reject(Reason::too_short, b.size(), kHeader);
  if (b[0] >> 4 != kVersion) return reject(Reason::version, b[0] >> 4, kVersion);
  if ((b[0] & 0xf) != kTypeAdvertisement) return reject(Reason::type, b[0] & 0xf, kTypeAdvertisement);
  if (b[1] != instance.virtual_router_id) return reject(Reason::virtual_router_id, b[1], instance.virtual_router_id);
  const size_t count = b[3];
  if (count == 0) return reject(Reason::no_addresses, 0, 1);
  const size_t length = kHeader + count * kAddress + kAuthentication;
  if (b.size() != length) return reject(Reason::length, b.size(), length);
  if (internet_checksum(b) != 0) return reject(Reason::checksum, u16(b, 6), 0);
  const uint8_t auth_type = instance.auth_pass.empty() ? kAuthNone : kAuthPass;
  if (b[4] != auth_type) return reject(Reason::auth_type, b[4], auth_type);
  if (auth_type == kAuthPass && !same_password(b.last(kAuthentication), instance.auth_pass)) {
    return reject(Reason::password, 0, 0);
  }
  const uint8_t interval = seconds_of(instance.advert_int);
  if (b[5] != interval) return reject(Reason::advert_int, b[5], interval);
  if (datagram.source == own_source) return reject(Reason::own_source, 0, 0);

  Advertisement advertisement{.source = datagram.source,
                              .virtual_router_id = b[1],
                              .priority = b[2],
                              .interval = std::chrono::seconds(b[5]),
                              .addresses = {}};
  for (size_t i = 0; i < count; ++i) advertisement.addresses.push_back(address(b, kHeader + i * kAddress));
  return advertisement;
}

uint8_t peek_virtual_router_id(Bytes message) {
  return message.size() > 1 ? message[1] : 0;
}

std::vector<uint8_t> encode(const model::VrrpInstance& instance, uint8_t priority, const base::Ip& /*source*/,
                            const base::Ip& /*destination*/) {
  const auto count = static_cast<uint8_t>(instance.virtual_addresses.size());
  std::vector<uint8_t> message{kVersion << 4 | kTypeAdvertisement,
                               instance.virtual_router_id,
                               priority,
                               count,
                               instance.auth_pass.empty() ? kAuthNone : kAuthPass,
                               seconds_of(instance.advert_int),
                               0,
                               0};
  for (const model::VirtualAddress& virtual_address : instance.virtual_addresses) append(message, virtual_address.ip);
  const auto authentication = authentication_data(instance.auth_pass);
  message.insert(message.end(), authentication.begin(), authentication.end());
  const uint16_t checksum = internet_checksum(message);
  message[6] = static_cast<uint8_t>(checksum >> 8);
  message[7] = static_cast<uint8_t>(checksum);
  return message;
}

std::vector<uint8_t> encode_ipv4(const Datagram& datagram) {
  const size_t size = kIpHeader + datagram.message.size();
  std::vector<uint8_t> packet{0x45,
                              kTos,
                              static_cast<uint8_t>(size >> 8),
                              static_cast<uint8_t>(size),
                              0,
                              0,
                              0,
                              0,
                              datagram.hop_limit,
                              kProtocol,
                              0,
                              0};
  append(packet, datagram.source);
  append(packet, datagram.destination);
  packet.insert(packet.end(), datagram.message.begin(), datagram.message.end());
  return packet;
}

std::string Rejection::str() const {
  switch (reason) {
    case Reason::malformed_ip:
      return "the IP header is cut short or contradicts itself";
    case Reason::fragment:
      return "it is a fragment";
    case Reason::protocol:
      return fmt::format("IP protocol {} instead of {}", got, wanted);
    case Reason::destination:
      return fmt::format("sent to {} instead of {}", base::Ipv4::from_host(got).str(), kGroup.str());
    case Reason::ttl:
      return fmt::format("TTL {} instead of {}", got, wanted);
    case Reason::too_short:
      return fmt::format("only {} bytes", got);
    case Reason::version:
      return fmt::format("VRRP version {} instead of {}", got, wanted);
    case Reason::type:
      return fmt::format("type {} instead of {} (advertisement)", got, wanted);
    case Reason::virtual_router_id:
      return fmt::format("virtual router {} instead of {}", got, wanted);
    case Reason::no_addresses:
      return "it carries no address";
    case Reason::length:
      return fmt::format("{} bytes instead of the {} its address count makes", got, wanted);
    case Reason::checksum:
      return "wrong checksum";
    case Reason::auth_type:
      return fmt::format("authentication type {} instead of {}", got, wanted);
    case Reason::password:
      return "wrong password";
    case Reason::advert_int:
      return fmt::format("advert_int {} instead of {}", got, wanted);
    case Reason::own_source:
      return "it comes from our own address: is that address used twice?";
  }
  return {};
}

}  // namespace vrrp
