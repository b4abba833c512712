// SPDX-License-Identifier: Apache-2.0
// Packets for tests, layer by layer, and their difference field by field:
//
//   auto in = eth(client, director).ipv4("192.168.100.31", "192.168.100.111").tcp(40000, 9826, kSyn);
//   EXPECT_PACKET(out, in.with_eth(director, real.mac));
//
// Lengths and checksums are right unless a test breaks them with `with_byte` or `cut`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace test {

using Bytes = std::vector<uint8_t>;

enum TcpFlags : uint8_t { kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPush = 0x08, kAck = 0x10 };

struct Ipv4Options {
  uint8_t ttl = 64;
  uint16_t fragment = 0;  // flags and offset, as in the header
  Bytes options;          // padded to four bytes
};

class Packet {
 public:
  static Packet eth(const base::Mac& source, const base::Mac& destination);

  Packet vlan(uint16_t tag, uint16_t protocol = 0x8100) const;  // put before what follows
  Packet ethertype(uint16_t type, const Bytes& content) const;
  Packet arp(uint16_t operation, const base::Mac& sender_mac, std::string_view sender, std::string_view target) const;
  Packet ipv4(std::string_view source, std::string_view destination, const Ipv4Options& options = {}) const;
  Packet tcp(uint16_t source, uint16_t destination, uint8_t flags) const;
  Packet udp(uint16_t source, uint16_t destination) const;
  Packet icmp(uint8_t type, uint8_t code) const;
  Packet payload(std::string_view text) const;

  Packet with_eth(const base::Mac& source, const base::Mac& destination) const;
  Packet with_byte(size_t offset, uint8_t value) const;
  Packet cut(size_t length) const;  // only the first bytes

  const Bytes& bytes() const { return bytes_; }
  size_t ip_offset() const { return ip_; }
  size_t transport_offset() const { return transport_; }

 private:
  void append16(uint16_t value);
  void set16(size_t offset, uint16_t value);
  void begin_network(uint16_t ethertype);
  void begin_transport(uint8_t protocol);
  void complete();  // lengths and checksums

  Bytes bytes_;
  size_t type_ = 0;  // where the last ethertype stands
  size_t ip_ = 0;
  size_t transport_ = 0;
};

inline Packet eth(const base::Mac& source, const base::Mac& destination) {
  return Packet::eth(source, destination);
}
base::Mac mac(std::string_view text);
base::Ipv4 ip(std::string_view text);

// One line per field that differs, "ipv4.ttl: 63, expected 64"; empty when the packets are the same.
std::string difference(const Bytes& actual, const Bytes& expected);

}  // namespace test
