// SPDX-License-Identifier: Apache-2.0
// Values of model/ ↔ values of the BPF maps (include/xdirector/maps.h), where byte orders and words are sorted out.
#pragma once

#include <arpa/inet.h>

#include <cstring>
#include <vector>

#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

// Both hold IPv4 as IPv4-mapped, and what is not set as zero.
inline xd_address encode(const base::Ip& address) {
  xd_address encoded{};
  std::memcpy(&encoded, address.bytes().data(), sizeof encoded);
  return encoded;
}

inline base::Ip decode(const xd_address& address) {
  base::Ip::Bytes bytes{};
  std::memcpy(bytes.data(), &address, sizeof address);
  return base::Ip(bytes);
}

inline __u8 encode_transport(model::Protocol protocol, bool ipv6) {
  return static_cast<__u8>(static_cast<unsigned>(protocol) | (ipv6 ? unsigned{XD_IPV6} : 0U));
}

inline __u8 encode_flags(const model::VirtualServerEntry& entry) {
  unsigned flags = XD_USED;
  if (entry.one_packet) flags |= XD_ONE_PACKET;
  if (entry.hash_port) flags |= XD_HASH_PORT;
  return static_cast<__u8>(flags);
}

// The key in `services6`, and the name in `virtual_servers` of either family.
inline xd_service_key6 encode(const model::VirtualServerKey& key) {
  xd_service_key6 encoded{};
  encoded.protocol = static_cast<__u8>(key.protocol);
  if (key.mark != 0) {
    encoded.kind = XD_MARK;
    encoded.mark = key.mark;
  } else {
    encoded.kind = XD_EXACT;
    encoded.address = encode(key.address);
    encoded.port = htons(key.port);
  }
  return encoded;
}

// The key in `services`.
inline xd_service_key encode_ipv4(const model::VirtualServerKey& key) {
  const xd_service_key6 name = encode(key);
  xd_service_key encoded{};
  encoded.address = key.mark != 0 ? key.mark : name.address.word[3];
  encoded.port = name.port;
  encoded.protocol = name.protocol;
  encoded.kind = name.kind;
  return encoded;
}

// `ipv6` is the family of a mark; an address knows its own.
inline model::VirtualServerKey decode(const xd_service_key6& key, bool ipv6) {
  const auto protocol = static_cast<model::Protocol>(key.protocol);
  if (key.kind == XD_MARK) return {.mark = key.mark, .mark_v6 = ipv6, .address = {}, .port = 0, .protocol = protocol};
  return {.mark = 0, .mark_v6 = false, .address = decode(key.address), .port = ntohs(key.port), .protocol = protocol};
}

inline model::VirtualServerKey decode(const xd_service_key& key) {
  const auto protocol = static_cast<model::Protocol>(key.protocol);
  if (key.kind == XD_MARK) return {.mark = key.mark, .mark_v6 = false, .address = {}, .port = 0, .protocol = protocol};
  return {.mark = 0,
          .mark_v6 = false,
          .address = base::Ipv4::from_network(key.address),
          .port = ntohs(key.port),
          .protocol = protocol};
}

inline std::vector<model::PortRange> decode(const xd_port_ranges& value) {
  std::vector<model::PortRange> ranges;
  for (uint32_t i = 0; i < value.count && i < XD_MAX_PORT_RANGES; ++i) {
    ranges.push_back({value.range[i].first, value.range[i].last, value.range[i].mark});
  }
  return ranges;
}

inline xd_port_ranges encode(const std::vector<model::PortRange>& ranges) {
  xd_port_ranges value{};
  for (const model::PortRange& range : ranges) value.range[value.count++] = {range.first, range.last, range.mark};
  return value;
}

inline xd_marked_address encode_ipv4(const model::MarkedAddress& key) {
  return {.address = encode(key.first).word[3], .protocol = static_cast<__u8>(key.second), .reserved = {}};
}

inline xd_marked_address6 encode(const model::MarkedAddress& key) {
  return {.address = encode(key.first), .protocol = static_cast<__u8>(key.second), .reserved = {}};
}

// What one 64-bit store sends a packet to: see xd_real_server.
inline __u64 encode_target(const model::RealServerEntry& entry) {
  xd_real_server words{};
  if (entry.next_hop.mac) std::memcpy(words.mac, entry.next_hop.mac->bytes().data(), sizeof words.mac);
  words.delivery = entry.next_hop.local ? XD_LOCAL : entry.next_hop.mac ? XD_BY_MAC : XD_UNKNOWN;
  words.state = entry.state;
  return words.target;
}

inline __u64 encode_mac(const base::Mac& mac) {
  __u64 word = 0;
  std::memcpy(&word, mac.bytes().data(), 6);
  return word;
}

inline base::Mac decode_mac(__u64 word) {
  return base::Mac::from_bytes(&word);
}

inline model::InterfaceEntry decode(const xd_interface& value) {
  model::InterfaceEntry entry{.mac = decode_mac(value.mac_word), .peers = {}};
  for (uint32_t i = 0; i < value.peers && i < XD_MAX_PEERS; ++i) {
    if (value.peer[i] != 0) entry.peers.insert(decode_mac(value.peer[i]));
  }
  return entry;
}

inline model::RealServerEntry decode(const xd_real_server& value) {
  model::RealServerEntry entry;
  entry.virtual_server = value.virtual_server;
  entry.key = {decode(value.address), ntohs(value.port)};
  entry.weight = value.weight;
  entry.state = static_cast<xd_real_server_state>(value.state);
  entry.next_hop.ifindex = value.ifindex;
  entry.next_hop.source = base::Mac::from_bytes(value.source_mac);
  if (value.delivery == XD_BY_MAC) entry.next_hop.mac = base::Mac::from_bytes(value.mac);
  entry.next_hop.local = value.delivery == XD_LOCAL;
  entry.virtual_address = decode(value.virtual_address);
  entry.virtual_port = ntohs(value.virtual_port);
  entry.protocol = static_cast<model::Protocol>(value.transport & ~XD_IPV6);
  entry.persistent = value.persistent != 0;
  std::memcpy(entry.timeout_ticks.data(), value.timeout_ticks, sizeof value.timeout_ticks);
  return entry;
}

// From the key alone, so that every director has the same: the consistent hash of decision 8.
inline __u32 hash_seed(const model::VirtualServerKey& key) {
  const xd_service_key6 encoded = encode(key);
  __u32 words[sizeof encoded / sizeof(__u32)];
  std::memcpy(words, &encoded, sizeof words);
  __u64 hash = 0;
  for (const __u32 word : words) hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return static_cast<__u32>(hash >> 32);
}

}  // namespace dataplane
