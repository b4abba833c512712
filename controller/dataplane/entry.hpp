// SPDX-License-Identifier: Apache-2.0
// An entry of the tables that the program writes (connections of either family, persistence templates): read whole or
// not at all, by the protocol of bpf/connections.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "xdirector/maps.h"

namespace dataplane {

// The words a bucket has of an entry. `beside` are the addresses that do not fit into a way: the client's, then the
// virtual one; zero where there are none.
struct Entry {
  __u64 w0 = 0, w1 = 0;
  std::array<__u64, 4> beside{};

  uint16_t slot() const { return static_cast<uint16_t>(w0); }
};

// What is in the bits of w1.
struct W1 {
  __u64 identity;    // what an entry is known by, besides w0 without the slot and the words beside
  __u64 generation;  // moved on by whoever writes the way
};
constexpr W1 w1_of(const xd_bucket* /*table*/) {
  return {~0ULL << 15, 0};
}
constexpr W1 w1_of(const xd_bucket6* /*table*/) {
  return {(~0ULL << 15) & ~(0xffffULL << 32), 0xffffULL << 32};
}
constexpr W1 w1_of(const xd_template_bucket* /*table*/) {
  return {0, ~0ULL << 33};
}

// A way of a bucket, as const as the bucket is.
auto& way_at(auto& bucket, size_t way) {
  if constexpr (requires { bucket.ways; }) {
    return bucket.ways.way[way];
  } else {
    return bucket.way[way];
  }
}

// nullopt: free, or somebody is writing it just now.
std::optional<Entry> read_entry(const xd_bucket& bucket, size_t way);
std::optional<Entry> read_entry(const xd_bucket6& bucket, size_t way);
std::optional<Entry> read_entry(const xd_template_bucket& bucket, size_t way);

// Ticks since a connection was seen, as bpf/connections.h counts them: a packet may have seen a tick begin that is
// later than `now`.
inline uint32_t connection_age(const xd_way& way, uint32_t now) {
  const uint32_t age = (now - static_cast<uint32_t>(way.tick)) % XD_TICKS;
  return age == XD_TICKS - 1 ? 0 : age;
}

// The same of a template.
inline uint32_t template_age(const xd_template& way, uint32_t now) {
  const auto age = static_cast<int32_t>(now - static_cast<uint32_t>(way.seen_tick));
  return age < 0 ? 0 : static_cast<uint32_t>(age);
}

inline xd_way connection_of(const Entry& entry) {
  return {.w0 = entry.w0, .w1 = entry.w1};
}
inline xd_template template_of(const Entry& entry) {
  return {.w0 = entry.w0, .w1 = entry.w1};
}

// The real server of a connection. nullptr: it has timed out, or its slot is another virtual server's, as the slot of
// an IPv4 way would be that was given away while it was read.
const xd_real_server* real_server_of(const Entry& connection, bool ipv6, std::span<const xd_real_server> real_servers,
                                     uint32_t now);

// The virtual server of a template that still runs. nullptr: it does not, or its slot is another's by now.
const xd_virtual_server* virtual_server_of(const Entry& persistence_template,
                                           std::span<const xd_virtual_server> virtual_servers,
                                           std::span<const xd_real_server> real_servers, uint32_t now);

}  // namespace dataplane
