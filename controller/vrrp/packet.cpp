// SPDX-License-Identifier: Apache-2.0
#include "vrrp/packet.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace vrrp {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kIpHeader = 20, kHeader = 8, kAuthentication = 8;
constexpr uint8_t kTrafficClass = 0xc0;  // internetwork control
constexpr uint8_t kVersion2 = 2, kTypeAdvertisement = 1;
constexpr uint8_t kAuthNone = 0, kAuthPass = 1;
constexpr uint8_t kAddressOwner = 255;
constexpr unsigned kIntervalMask = 0x0fff;  // version 3: the upper four bits are reserved
constexpr base::Duration kCentisecond = std::chrono::milliseconds(10);

uint16_t u16(Bytes b, size_t at) {
  return static_cast<uint16_t>(b[at] << 8 | b[at + 1]);
}

void append(std::vector<uint8_t>& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_u16(std::vector<uint8_t>& to, size_t value) {
  to.insert(to.end(), {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)});
}

base::Ip address(Bytes b, size_t at, size_t size) {
  return base::Ip::from_network(&b[at], size).value_or(base::Ip());
}

// --- what a message is like, by version and family

size_t address_size(const model::VrrpInstance& instance) {
  return instance.is_v6() ? 16 : 4;
}

size_t authentication_size(const model::VrrpInstance& instance) {
  return instance.version == kVersion2 ? kAuthentication : 0;
}

// As the message carries it: in seconds (version 2) or in hundredths of one (version 3).
base::Duration interval_unit(const model::VrrpInstance& instance) {
  return instance.version == kVersion2 ? std::chrono::seconds(1) : kCentisecond;
}

unsigned interval_of(const model::VrrpInstance& instance) {
  return static_cast<unsigned>(instance.advert_int / interval_unit(instance));
}

// --- checksums

uint32_t sum_of(Bytes b) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < b.size(); i += 2) sum += u16(b, i);
  if (b.size() % 2 != 0) sum += static_cast<uint32_t>(b.back()) << 8;
  return sum;
}

uint32_t sum_of_pseudo_header(const base::Ip& source, const base::Ip& destination, Bytes message) {
  return sum_of(source.network()) + sum_of(destination.network()) + kProtocol + static_cast<uint32_t>(message.size());
}

// RFC 1071. Over something that contains its own checksum it is 0 when that is right.
uint16_t internet_checksum(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

bool right_checksum(const Datagram& datagram, const model::VrrpInstance& instance) {
  const uint32_t of_message = sum_of(datagram.message);
  const uint32_t of_both = of_message + sum_of_pseudo_header(datagram.source, datagram.destination, datagram.message);
  if (instance.is_v6()) return internet_checksum(of_both) == 0;
  if (internet_checksum(of_message) == 0) return true;
  return instance.version != kVersion2 && internet_checksum(of_both) == 0;  // either reading of version 3
}

bool has_pseudo_header(const model::VrrpInstance& instance) {
  if (instance.is_v6()) return true;
  return instance.version != kVersion2 && instance.checksum == model::Checksum::pseudo_header;
}

// --- authentication

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

uint8_t auth_type_of(const model::VrrpInstance& instance) {
  return instance.auth_pass.empty() ? kAuthNone : kAuthPass;
}

// --- what a received packet must be

// One received packet, and the checks in groups. Each tells the first thing that is wrong; nullopt: nothing is.
class Examination {
 public:
  using Verdict = std::optional<Rejection>;

  Examination(const Datagram& datagram, const model::VrrpInstance& instance, const Place& place)
      : datagram_(datagram), b_(datagram.message), instance_(instance), place_(place) {}

  Verdict journey() const {
    const base::Ip& to = datagram_.destination;
    const bool unicast = !instance_.unicast_peers.empty();
    const base::Ip group = instance_.is_v6() ? kGroup6 : base::Ip(kGroup);
    // What is sent to one host reaches us only if that is us: the kernel sees to it.
    if (to.is_v6() != instance_.is_v6() || (unicast ? base::is_multicast(to) : to != group)) {
      return Rejection{.reason = Reason::destination, .source = datagram_.source, .wanted = unicast, .destination = to};
    }
    if (!unicast && datagram_.hop_limit != kHopLimit) return reject(Reason::ttl, datagram_.hop_limit, kHopLimit);
    if (const model::UnicastPeer* peer = find_peer()) {  // from anyone else it is rejected further down
      if (datagram_.hop_limit < peer->min_ttl) return reject(Reason::ttl, datagram_.hop_limit, peer->min_ttl);
      if (datagram_.hop_limit > peer->max_ttl) return reject(Reason::ttl, datagram_.hop_limit, peer->max_ttl);
    }
    return {};
  }

  Verdict form() const {
    if (b_.size() < kHeader) return reject(Reason::too_short, b_.size(), kHeader);
    if (b_[0] >> 4 != instance_.version) return reject(Reason::version, b_[0] >> 4, instance_.version);
    if ((b_[0] & 0xf) != kTypeAdvertisement) return reject(Reason::type, b_[0] & 0xf, kTypeAdvertisement);
    if (b_[1] != instance_.virtual_router_id) {
      return reject(Reason::virtual_router_id, b_[1], instance_.virtual_router_id);
    }
    if (b_[3] == 0) return reject(Reason::no_addresses, 0, 1);
    const size_t length = kHeader + b_[3] * address_size(instance_) + authentication_size(instance_);
    if (b_.size() != length) return reject(Reason::length, b_.size(), length);
    if (!right_checksum(datagram_, instance_)) return reject(Reason::checksum, u16(b_, 6), 0);
    return {};
  }

  // What version 2 has instead of the first half of version 3's interval.
  Verdict authentication() const {
    if (instance_.version != kVersion2) return {};
    const uint8_t type = auth_type_of(instance_);
    if (b_[4] != type) return reject(Reason::auth_type, b_[4], type);
    if (type == kAuthPass && !same_password(b_.last(kAuthentication), instance_.auth_pass)) {
      return reject(Reason::password, 0, 0);
    }
    return {};
  }

  // Version 2 demands equal intervals; version 3 learns the MASTER's.
  Verdict interval() const {
    const unsigned own = interval_of(instance_);
    const bool wrong = instance_.version == kVersion2 ? received_interval() != own : received_interval() == 0;
    if (wrong) return reject(Reason::advert_int, received_interval(), own);
    return {};
  }

  Verdict sender() const {
    const base::Ip& from = datagram_.source;
    if (from == place_.source) return reject(Reason::own_source, 0, 0);
    if (!instance_.unicast_peers.empty() && find_peer() == nullptr) return reject(Reason::unknown_peer, 0, 0);
    const bool near = std::ranges::any_of(
        place_.networks, [&](const Network& n) { return base::share_prefix(n.address, from, n.prefix_length); });
    if (instance_.check_source_network && !near) return reject(Reason::source_network, 0, 0);
    return {};
  }

  // The owner of the addresses is believed (RFC 3768, 7.1).
  Verdict address_list(const Advertisement& advertisement) const {
    if (!instance_.strict_address_list || advertisement.priority == kAddressOwner) return {};
    const auto& own = instance_.virtual_addresses;
    if (std::ranges::is_permutation(advertisement.addresses, own, {}, {}, &model::VirtualAddress::ip)) return {};
    return reject(Reason::address_list, advertisement.addresses.size(), own.size());
  }

  // Of a packet that passed form().
  Advertisement advertisement() const {
    Advertisement result{.source = datagram_.source,
                         .virtual_router_id = b_[1],
                         .priority = b_[2],
                         .interval = received_interval() * interval_unit(instance_),
                         .addresses = {}};
    const size_t size = address_size(instance_);
    for (size_t i = 0; i < b_[3]; ++i) result.addresses.push_back(address(b_, kHeader + i * size, size));
    return result;
  }

 private:
  Rejection reject(Reason reason, size_t got, size_t wanted) const {
    return {.reason = reason,
            .source = datagram_.source,
            .got = static_cast<uint32_t>(got),
            .wanted = static_cast<uint32_t>(wanted),
            .destination = {}};
  }

  const model::UnicastPeer* find_peer() const {
    const auto found = std::ranges::find(instance_.unicast_peers, datagram_.source, &model::UnicastPeer::address);
    return found == instance_.unicast_peers.end() ? nullptr : &*found;
  }

  unsigned received_interval() const { return instance_.version == kVersion2 ? b_[5] : u16(b_, 4) & kIntervalMask; }

  const Datagram& datagram_;
  Bytes b_;
  const model::VrrpInstance& instance_;
  const Place& place_;
};

}  // namespace

// --- reading

std::expected<Datagram, Rejection> decode_ipv4(Bytes b) {
  if (b.size() < kIpHeader) return std::unexpected(Rejection{.reason = Reason::malformed_ip});
  const base::Ip source = address(b, 12, 4);
  auto reject = [&](Reason reason, uint32_t got = 0, uint32_t wanted = 0) {
    return std::unexpected(Rejection{reason, source, got, wanted, {}});
  };
  const size_t header = static_cast<size_t>(b[0] & 0xf) * 4;
  const size_t total = u16(b, 2);
  if (b[0] >> 4 != 4 || header < kIpHeader || total < header || total > b.size()) return reject(Reason::malformed_ip);
  if ((u16(b, 6) & 0x3fff) != 0) return reject(Reason::fragment);  // more to come, or not the first
  if (b[9] != kProtocol) return reject(Reason::protocol, b[9], kProtocol);
  return Datagram{.source = source,
                  .destination = address(b, 16, 4),
                  .hop_limit = b[8],
                  .message = b.subspan(header, total - header)};
}

std::expected<Advertisement, Rejection> decode(const Datagram& datagram, const model::VrrpInstance& instance,
                                               const Place& place) {
  const Examination examine(datagram, instance, place);
  if (auto wrong = examine.journey()) return std::unexpected(*wrong);
  if (auto wrong = examine.form()) return std::unexpected(*wrong);
  if (auto wrong = examine.authentication()) return std::unexpected(*wrong);
  if (auto wrong = examine.interval()) return std::unexpected(*wrong);
  if (auto wrong = examine.sender()) return std::unexpected(*wrong);
  Advertisement advertisement = examine.advertisement();
  if (auto wrong = examine.address_list(advertisement)) return std::unexpected(*wrong);
  return advertisement;
}

uint8_t peek_virtual_router_id(Bytes message) {
  return message.size() > 1 ? message[1] : 0;
}

// --- writing

int family_of(const model::VrrpInstance& instance) {
  return instance.is_v6() ? AF_INET6 : AF_INET;
}

std::vector<base::Ip> destinations(const model::VrrpInstance& instance) {
  if (instance.unicast_peers.empty()) return {instance.is_v6() ? kGroup6 : base::Ip(kGroup)};
  std::vector<base::Ip> peers;
  peers.reserve(instance.unicast_peers.size());
  for (const model::UnicastPeer& peer : instance.unicast_peers) peers.push_back(peer.address);
  return peers;
}

uint8_t hop_limit(const model::VrrpInstance& instance) {
  return instance.unicast_peers.empty() ? kHopLimit : instance.unicast_ttl;
}

std::vector<uint8_t> encode(const model::VrrpInstance& instance, uint8_t priority, const base::Ip& source,
                            const base::Ip& destination) {
  const auto count = static_cast<uint8_t>(instance.virtual_addresses.size());
  const bool version2 = instance.version == kVersion2;
  std::vector<uint8_t> message{static_cast<uint8_t>(instance.version << 4 | kTypeAdvertisement),
                               instance.virtual_router_id, priority, count};
  append_u16(message, version2 ? auth_type_of(instance) << 8 | interval_of(instance) : interval_of(instance));
  append_u16(message, 0);
  for (const model::VirtualAddress& virtual_address : instance.virtual_addresses) {
    append(message, virtual_address.ip.network());
  }
  if (version2) append(message, authentication_data(instance.auth_pass));
  uint32_t sum = sum_of(message);
  if (has_pseudo_header(instance)) sum += sum_of_pseudo_header(source, destination, message);
  const uint16_t checksum = internet_checksum(sum);
  message[6] = static_cast<uint8_t>(checksum >> 8);
  message[7] = static_cast<uint8_t>(checksum);
  return message;
}

std::vector<uint8_t> encode_ip(const Datagram& datagram) {
  const size_t size = datagram.message.size();
  std::vector<uint8_t> packet;
  if (datagram.destination.is_v6()) {
    packet = {0x60 | kTrafficClass >> 4, static_cast<uint8_t>(kTrafficClass << 4), 0, 0};
    append_u16(packet, size);
    packet.insert(packet.end(), {kProtocol, datagram.hop_limit});
  } else {
    packet = {0x45, kTrafficClass};
    append_u16(packet, kIpHeader + size);
    packet.insert(packet.end(), {0, 0, 0, 0, datagram.hop_limit, kProtocol, 0, 0});
  }
  append(packet, datagram.source.network());
  append(packet, datagram.destination.network());
  append(packet, datagram.message);
  return packet;
}

// --- telling

std::string Rejection::str() const {
  switch (reason) {
    case Reason::malformed_ip:
      return "the IP header is cut short or contradicts itself";
    case Reason::fragment:
      return "it is a fragment";
    case Reason::protocol:
      return fmt::format("IP protocol {} instead of {}", got, wanted);
    case Reason::destination:
      if (wanted != 0) return fmt::format("sent to {}, but unicast_peer is configured here", destination.str());
      return fmt::format("sent to {} instead of {}", destination.str(),
                         destination.is_v6() ? kGroup6.str() : kGroup.str());
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
      if (got == 0) return "an advert_int of 0";
      return fmt::format("advert_int {} instead of {}", got, wanted);
    case Reason::own_source:
      return "it comes from our own address: is that address used twice?";
    case Reason::unknown_peer:
      return "it comes from none of the unicast_peers";
    case Reason::source_network:
      return "it comes from outside the interface's networks";
    case Reason::address_list:
      return fmt::format("its virtual addresses ({}) are not ours ({})", got, wanted);
  }
  return {};
}

}  // namespace vrrp
