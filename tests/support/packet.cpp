// SPDX-License-Identifier: Apache-2.0
// Building: each layer appends itself and corrects the lengths and checksums before it. Comparing: both sides are taken
// apart into named fields.
#include "support/packet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <span>
#include <utility>

namespace test {
namespace {

constexpr uint16_t kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kFragmentHeader = 44, kIcmp6 = 58, kSolicitation = 135,
                  kAdvertisement = 136, kVrrp = 112;

uint16_t get16(const Bytes& bytes, size_t at) {
  return static_cast<uint16_t>(bytes.at(at) << 8 | bytes.at(at + 1));
}

void append(Bytes& bytes, const auto& more) {
  bytes.insert(bytes.end(), std::begin(more), std::end(more));
}

void append_address(Bytes& bytes, const base::Ip& address) {
  append(bytes, address.network());
}

uint32_t sum(const Bytes& bytes, size_t begin, size_t end) {
  uint32_t total = 0;
  for (size_t i = begin; i < end; i += 2) total += bytes[i] << 8 | (i + 1 < end ? bytes[i + 1] : 0);
  return total;
}

uint16_t fold(uint32_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(~total);
}

// Fields in order, with their values as text.
class Fields {
 public:
  explicit Fields(const Bytes& bytes) : bytes_(bytes) { link(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  bool take(const std::string& name, size_t size) {
    if (at_ + size > bytes_.size()) {
      rest("cut short");
      return false;
    }
    std::string text;
    for (size_t i = 0; i < size; i++) text += fmt::format("{:02x}", bytes_[at_ + i]);
    fields_.emplace_back(name, text);
    at_ += size;
    return true;
  }
  void rest(const std::string& name) {
    std::string text;
    for (size_t i = at_; i < bytes_.size(); i++) text += fmt::format("{:02x} ", bytes_[i]);
    fields_.emplace_back(name, text);
    at_ = bytes_.size();
  }
  void all_of(const std::string& layer, std::initializer_list<std::pair<const char*, size_t>> names) {
    for (const auto& [name, size] : names) {
      if (!take(layer + "." + name, size)) return;
    }
  }
  void link() {
    all_of("eth", {{"destination", 6}, {"source", 6}, {"type", 2}});
    while (at_ >= 2 && at_ + 4 <= bytes_.size() && is_vlan()) all_of("vlan", {{"tag", 2}, {"type", 2}});
    if (at_ >= 14 && get16(bytes_, at_ - 2) == kArp) return arp();
    if (at_ >= 14 && get16(bytes_, at_ - 2) == kIpv4 && at_ + 20 <= bytes_.size()) return ipv4();
    if (at_ >= 14 && get16(bytes_, at_ - 2) == kIpv6 && at_ + 40 <= bytes_.size()) return ipv6();
    rest("content");
  }
  bool is_vlan() const {
    const uint16_t type = get16(bytes_, at_ - 2);
    return type == kVlan || type == kServiceVlan;
  }
  void arp() {
    all_of("arp", {{"types", 6}, {"operation", 2}, {"sender_mac", 6}, {"sender", 4}, {"target_mac", 6}, {"target", 4}});
    rest("content");
  }
  void ipv4() {
    const size_t options = (bytes_[at_] & 15) * 4U;
    const uint8_t protocol = bytes_[at_ + 9];
    all_of("ipv4", {{"version_length", 1}, {"tos", 1}, {"length", 2}, {"id", 2}, {"fragment", 2}, {"ttl", 1}});
    all_of("ipv4", {{"protocol", 1}, {"checksum", 2}, {"source", 4}, {"destination", 4}});
    if (options > 20) take("ipv4.options", options - 20);
    transport(protocol);
  }
  void ipv6() {
    const uint8_t protocol = bytes_[at_ + 6];
    all_of("ipv6", {{"version_class_label", 4}, {"length", 2}, {"next", 1}, {"hop_limit", 1}});
    all_of("ipv6", {{"source", 16}, {"destination", 16}});
    transport(protocol);
  }
  void transport(uint8_t protocol) {
    if (protocol == kTcp) {
      all_of("tcp", {{"source", 2}, {"destination", 2}, {"sequence", 4}, {"acknowledgement", 4}, {"offset", 1}});
      all_of("tcp", {{"flags", 1}, {"window", 2}, {"checksum", 2}, {"urgent", 2}});
    } else if (protocol == kUdp) {
      all_of("udp", {{"source", 2}, {"destination", 2}, {"length", 2}, {"checksum", 2}});
    }
    rest("payload");
  }

  const Bytes& bytes_;
  size_t at_ = 0;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace

base::Mac mac(std::string_view text) {
  return base::Mac::parse(text).value();
}
base::Ip ip(std::string_view text) {
  return base::Ip::parse(text).value();
}

Packet Packet::eth(const base::Mac& source, const base::Mac& destination) {
  Packet packet;
  append(packet.bytes_, destination.bytes());
  append(packet.bytes_, source.bytes());
  packet.type_ = packet.bytes_.size();
  packet.append16(0);
  return packet;
}

Packet Packet::vlan(uint16_t tag, uint16_t protocol) const {
  Packet next = *this;
  next.set16(type_, protocol);
  next.append16(tag);
  next.type_ = next.bytes_.size();
  next.append16(0);
  return next;
}

Packet Packet::ethertype(uint16_t type, const Bytes& content) const {
  Packet next = *this;
  next.set16(type_, type);
  append(next.bytes_, content);
  return next;
}

Packet Packet::arp(uint16_t operation, const base::Mac& sender_mac, std::string_view sender,
                   std::string_view target) const {
  Packet next = *this;
  next.begin_network(kArp);
  append(next.bytes_, Bytes{0, 1, 8, 0, 6, 4});
  next.append16(operation);
  append(next.bytes_, sender_mac.bytes());
  append_address(next.bytes_, test::ip(sender));
  append(next.bytes_, Bytes(6));
  append_address(next.bytes_, test::ip(target));
  return next;
}

Packet Packet::ip(std::string_view source, std::string_view destination, const Bytes& options) const {
  Packet next = *this;
  const base::Ip from = test::ip(source), to = test::ip(destination);
  next.begin_network(to.is_v6() ? kIpv6 : kIpv4);
  next.ip_ = next.bytes_.size();
  to.is_v6() ? next.begin_ipv6(from, to) : next.begin_ipv4(from, to, options);
  next.complete();
  return next;
}

Packet Packet::extension(ExtensionHeader kind, size_t more_units) const {
  Packet next = *this;
  next.begin_header(kind);
  next.next_ = next.bytes_.size();
  append(next.bytes_, Bytes(8 + 8 * more_units));
  next.bytes_[next.next_ + 1] = static_cast<uint8_t>(more_units);
  next.complete();
  return next;
}

Packet Packet::fragment(const Fragment& piece) const {
  Packet next = *this;
  if (is_ipv4()) {
    next.set16(ip_ + 4, static_cast<uint16_t>(piece.id));
    next.set16(ip_ + 6, static_cast<uint16_t>(piece.offset | piece.more << 13));
  } else {
    next.begin_header(kFragmentHeader);
    next.next_ = next.bytes_.size();
    next.append16(0);
    next.append16(static_cast<uint16_t>(piece.offset << 3 | piece.more));
    next.append16(static_cast<uint16_t>(piece.id >> 16));
    next.append16(static_cast<uint16_t>(piece.id));
  }
  next.complete();
  return next;
}

Packet Packet::tcp(uint16_t source, uint16_t destination, uint8_t flags) const {
  Packet next = *this;
  next.begin_transport(kTcp);
  next.append16(source);
  next.append16(destination);
  append(next.bytes_, Bytes{0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0});
  next.complete();
  return next;
}

Packet Packet::udp(uint16_t source, uint16_t destination) const {
  Packet next = *this;
  next.begin_transport(kUdp);
  next.append16(source);
  next.append16(destination);
  append(next.bytes_, Bytes(4));
  next.complete();
  return next;
}

Packet Packet::icmp(uint8_t type, uint8_t code) const {
  Packet next = *this;
  next.begin_transport(is_ipv4() ? kIcmp : kIcmp6);
  append(next.bytes_, Bytes{type, code, 0, 0, 0, 0, 0, 0});
  next.complete();
  return next;
}

Packet Packet::solicitation(std::string_view target) const {
  Packet next = icmp(kSolicitation, 0);
  append_address(next.bytes_, test::ip(target));
  next.complete();
  return next;
}

Packet Packet::advertisement(std::string_view target) const {
  Packet next = solicitation(target);
  next.bytes_[next.transport_] = kAdvertisement;
  next.complete();
  return next;
}

Packet Packet::vrrp(uint8_t version, uint8_t virtual_router_id, uint8_t priority) const {
  constexpr uint8_t kAdvertisementType = 1;
  Packet next = *this;
  next.begin_header(kVrrp);
  append(next.bytes_,
         Bytes{static_cast<uint8_t>(version << 4 | kAdvertisementType), virtual_router_id, priority, 0, 0, 0, 0, 0});
  next.complete();
  return next;
}

Packet Packet::later(uint8_t protocol) const {
  Packet next = *this;
  next.begin_header(protocol);
  next.complete();
  return next;
}

Packet Packet::quote(const Packet& sent, size_t bytes) const {
  Packet next = *this;
  append(next.bytes_, std::span(sent.bytes_).subspan(sent.ip_).first(bytes));
  next.complete();
  return next;
}

Packet Packet::payload(std::string_view text) const {
  Packet next = *this;
  append(next.bytes_, text);
  next.complete();
  return next;
}

Packet Packet::with_eth(const base::Mac& source, const base::Mac& destination) const {
  Packet next = *this;
  const Packet header = eth(source, destination);
  std::copy_n(header.bytes_.begin(), 12, next.bytes_.begin());
  return next;
}

Packet Packet::with_byte(size_t offset, uint8_t value) const {
  Packet next = *this;
  next.bytes_.at(offset) = value;
  return next;
}

Packet Packet::cut(size_t length) const {
  Packet next = *this;
  assert(length <= bytes_.size());
  next.bytes_.resize(length);
  return next;
}

void Packet::append16(uint16_t value) {
  bytes_.push_back(static_cast<uint8_t>(value >> 8));
  bytes_.push_back(static_cast<uint8_t>(value));
}

void Packet::set16(size_t offset, uint16_t value) {
  bytes_.at(offset) = static_cast<uint8_t>(value >> 8);
  bytes_.at(offset + 1) = static_cast<uint8_t>(value);
}

void Packet::begin_network(uint16_t ethertype) {
  set16(type_, ethertype);
}

void Packet::begin_ipv4(const base::Ip& source, const base::Ip& destination, Bytes options) {
  while (options.size() % 4) options.push_back(0);
  next_ = ip_ + 9;
  append(bytes_, Bytes{static_cast<uint8_t>(0x45 + options.size() / 4), 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0});
  append_address(bytes_, source);
  append_address(bytes_, destination);
  append(bytes_, options);
}

void Packet::begin_ipv6(const base::Ip& source, const base::Ip& destination) {
  next_ = ip_ + 6;
  append(bytes_, Bytes{0x60, 0, 0, 0, 0, 0, 0, 64});
  append_address(bytes_, source);
  append_address(bytes_, destination);
}

void Packet::begin_header(uint8_t protocol) {
  bytes_.at(next_) = protocol;
}

void Packet::begin_transport(uint8_t protocol) {
  begin_header(protocol);
  transport_ = bytes_.size();
}

void Packet::complete() {
  if (!ip_) return;
  if (is_ipv4()) {
    complete_ipv4();
  } else {
    set16(ip_ + 4, static_cast<uint16_t>(bytes_.size() - ip_ - 40));
  }
  if (transport_) complete_transport();
}

void Packet::complete_ipv4() {
  set16(ip_ + 2, static_cast<uint16_t>(bytes_.size() - ip_));
  set16(ip_ + 10, 0);
  set16(ip_ + 10, fold(sum(bytes_, ip_, ip_ + (bytes_[ip_] & 15) * 4U)));
}

void Packet::complete_transport() {
  const uint8_t protocol = bytes_[next_];
  const auto length = static_cast<uint16_t>(bytes_.size() - transport_);
  static const std::map<uint8_t, size_t> checksums = {{kTcp, 16}, {kUdp, 6}, {kIcmp, 2}, {kIcmp6, 2}};
  const size_t at = transport_ + checksums.at(protocol);
  const size_t addresses = is_ipv4() ? ip_ + 12 : ip_ + 8, both = is_ipv4() ? 8 : 32;
  const uint32_t pseudo = protocol == kIcmp ? 0 : sum(bytes_, addresses, addresses + both) + protocol + length;
  if (protocol == kUdp) set16(transport_ + 4, length);
  set16(at, 0);
  set16(at, fold(pseudo + sum(bytes_, transport_, bytes_.size())));
}

std::string difference(const Bytes& actual, const Bytes& expected) {
  if (actual == expected) return {};
  const Fields left(actual), right(expected);
  std::string text;
  for (size_t i = 0; i < std::max(left.all().size(), right.all().size()); i++) {
    const std::pair<std::string, std::string> none{"nothing", ""};
    const auto& was = i < left.all().size() ? left.all()[i] : none;
    const auto& wanted = i < right.all().size() ? right.all()[i] : none;
    if (was != wanted)
      text += fmt::format("{}: {}, expected {}: {}\n", was.first, was.second, wanted.first, wanted.second);
  }
  return text;
}

}  // namespace test
