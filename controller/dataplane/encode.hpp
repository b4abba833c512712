// SPDX-License-Identifier: Apache-2.0
// Values of model/ ↔ values of the BPF maps (include/xdirector/maps.h), where byte orders and words are sorted out.
#pragma once

#include <arpa/inet.h>

#include <bit>
#include <cstring>

#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

// What is not set is 0 in the maps.
inline __be32 encode_address(const base::Ip& address) {
  return address == base::Ip() ? 0 : address.v4().network();
}

inline base::Ip decode_address(__be32 address) {
  return address == 0 ? base::Ip() : base::Ip(base::Ipv4::from_network(address));
}

inline __be32 encode_prefix(uint8_t bits) {
  return htonl(static_cast<uint32_t>(0xffffffff00000000ULL >> bits));
}

inline uint8_t decode_prefix(__be32 mask) {
  return static_cast<uint8_t>(std::popcount(mask));
}

inline xd_service_key encode(const model::VirtualServerKey& key) {
  xd_service_key encoded{};
  encoded.protocol = static_cast<__u8>(key.protocol);
  if (key.mark != 0) {
    encoded.kind = XD_MARK;
    encoded.mark = key.mark;
  } else {
    encoded.kind = XD_EXACT;
    encoded.address = key.address.v4().network();
    encoded.port = htons(key.port);
  }
  return encoded;
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

// What one 64-bit store sends a packet to: see xd_real_server.
inline __u64 encode_target(const model::RealServerEntry& entry) {
  xd_real_server words{};
  if (entry.next_hop.mac) std::memcpy(words.mac, entry.next_hop.mac->bytes().data(), sizeof words.mac);
  words.has_mac = entry.next_hop.mac ? 1 : 0;
  words.state = entry.state;
  return words.target;
}

inline __u64 encode_mac(const base::Mac& mac) {
  __u64 word = 0;
  std::memcpy(&word, mac.bytes().data(), 6);
  return word;
}

inline model::RealServerEntry decode(const xd_real_server& value) {
  model::RealServerEntry entry;
  entry.virtual_server = value.virtual_server;
  entry.key = {base::Ipv4::from_network(value.address), ntohs(value.port)};
  entry.weight = value.weight;
  entry.state = static_cast<xd_real_server_state>(value.state);
  entry.next_hop.ifindex = value.ifindex;
  entry.next_hop.source = base::Mac::from_bytes(value.source_mac);
  if (value.has_mac != 0) entry.next_hop.mac = base::Mac::from_bytes(value.mac);
  entry.virtual_address = decode_address(value.virtual_address);
  entry.virtual_port = ntohs(value.virtual_port);
  entry.protocol = static_cast<model::Protocol>(value.protocol);
  entry.persistent = value.persistent != 0;
  std::memcpy(entry.timeout_ticks.data(), value.timeout_ticks, sizeof value.timeout_ticks);
  return entry;
}

// From the key alone, so that every director has the same: the consistent hash of decision 8.
inline __u32 hash_seed(const model::VirtualServerKey& key) {
  const xd_service_key encoded = encode(key);
  __u64 word = 0;
  std::memcpy(&word, &encoded, sizeof word);
  word *= 0x9e3779b97f4a7c15ULL;
  return static_cast<__u32>(word >> 32);
}

}  // namespace dataplane
