// SPDX-License-Identifier: Apache-2.0
// Packets for tests, layer by layer, and their difference field by field:
//
//   auto in = eth(client, director).ip("192.168.100.31", "192.168.100.111").tcp(40000, 9826, kSyn);
//   EXPECT_PACKET(out, in.with_eth(director, real.mac));
//
// Lengths and checksums are right unless a test breaks them with `with_byte` or `cut`. What follows `ip` is told in one
// way for both families.
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

enum ExtensionHeader : uint8_t { kHopByHop = 0, kRouting = 43, kDestinationOptions = 60, kAuthentication = 51 };

// A piece of a datagram. The last one has no `more`.
struct Fragment {
  uint16_t offset = 0;  // in units of eight bytes
  bool more = false;
  uint32_t id = 1;  // IPv4 has the lower 16 bits
};

class Packet {
 public:
  static Packet eth(const base::Mac& source, const base::Mac& destination);

  Packet vlan(uint16_t tag, uint16_t protocol = 0x8100) const;  // put before what follows
  Packet ethertype(uint16_t type, const Bytes& content) const;
  Packet arp(uint16_t operation, const base::Mac& sender_mac, std::string_view sender, std::string_view target) const;
  Packet ip(std::string_view source, std::string_view destination, const Bytes& options = {}) const;  // of IPv4
  Packet extension(ExtensionHeader kind, size_t more_units = 0) const;  // IPv6; of 8 bytes and 8 for each unit
  Packet fragment(const Fragment& piece) const;                         // IPv4: in the header before; IPv6: a header
  Packet tcp(uint16_t source, uint16_t destination, uint8_t flags) const;
  Packet udp(uint16_t source, uint16_t destination) const;
  Packet icmp(uint8_t type, uint8_t code) const;                                    // or ICMPv6
  Packet solicitation(std::string_view target) const;                               // of a neighbour: IPv6
  Packet advertisement(std::string_view target) const;                              // of a neighbour: IPv6
  Packet vrrp(uint8_t version, uint8_t virtual_router_id, uint8_t priority) const;  // its first eight bytes
  Packet later(uint8_t protocol) const;                  // what is in a later fragment: no header of the protocol
  Packet quote(const Packet& sent, size_t bytes) const;  // in an ICMP error, from the IP header on
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
  bool is_ipv4() const { return bytes_.at(ip_) >> 4 == 4; }
  void begin_network(uint16_t ethertype);
  void begin_ipv4(const base::Ip& source, const base::Ip& destination, Bytes options);
  void begin_ipv6(const base::Ip& source, const base::Ip& destination);
  void begin_header(uint8_t protocol);
  void begin_transport(uint8_t protocol);
  void complete();  // lengths and checksums
  void complete_ipv4();
  void complete_transport();

  Bytes bytes_;
  size_t type_ = 0;  // where the last ethertype stands
  size_t ip_ = 0;
  size_t next_ = 0;  // where the protocol of the header to come stands
  size_t transport_ = 0;
};

inline Packet eth(const base::Mac& source, const base::Mac& destination) {
  return Packet::eth(source, destination);
}
base::Mac mac(std::string_view text);
base::Ip ip(std::string_view text);

// One line per field that differs, "ipv4.ttl: 63, expected 64"; empty when the packets are the same.
std::string difference(const Bytes& actual, const Bytes& expected);

}  // namespace test
