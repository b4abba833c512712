// SPDX-License-Identifier: Apache-2.0
#include "dataplane/entry.hpp"

#include <cstring>

namespace dataplane {
namespace {

constexpr __u64 kBeingWritten = 1;  // and less: free

__u64 load(const __u64& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

void load_beside(const xd_bucket& /*bucket*/, size_t /*way*/, Entry& /*entry*/) {}
void load_beside(const xd_bucket6& bucket, size_t way, Entry& entry) {
  entry.beside = {load(bucket.of[way].client[0]), load(bucket.of[way].client[1]), load(bucket.of[way].address[0]),
                  load(bucket.of[way].address[1])};
}
void load_beside(const xd_template_bucket& bucket, size_t way, Entry& entry) {
  entry.beside = {load(bucket.client[way][0]), load(bucket.client[way][1]), 0, 0};
}

// Reads w1, w0, w1, what is beside, w0, w1. The middle w1 lies between two equal w0, as IPv4 asks for; the outer ones
// have the same generation, as the others ask for.
template <typename Bucket>
std::optional<Entry> read(const Bucket& bucket, size_t way) {
  const auto& words = way_at(bucket, way);
  const __u64 before = load(words.w1);
  Entry entry{.w0 = load(words.w0)};
  if (entry.w0 <= kBeingWritten) return std::nullopt;
  entry.w1 = load(words.w1);
  load_beside(bucket, way, entry);
  const bool same_way = load(words.w0) == entry.w0;
  const bool same_writer = ((load(words.w1) ^ before) & w1_of(&bucket).generation) == 0;
  return same_way && same_writer ? std::optional(entry) : std::nullopt;
}

bool names(const xd_real_server& server, const Entry& connection, bool ipv6) {
  const xd_way way = connection_of(connection);
  const unsigned transport = (way.udp ? unsigned{XD_UDP4} : unsigned{XD_TCP4}) | (ipv6 ? unsigned{XD_IPV6} : 0U);
  if (server.transport != transport || (server.virtual_port != 0 && server.virtual_port != way.port)) return false;
  std::array<__u64, 2> address{};
  std::memcpy(address.data(), &server.virtual_address, sizeof address);
  if ((address[0] | address[1]) == 0) return true;  // any
  if (!ipv6) return server.virtual_address.word[3] == way.address;
  return address[0] == connection.beside[2] && address[1] == connection.beside[3];
}

}  // namespace

std::optional<Entry> read_entry(const xd_bucket& bucket, size_t way) {
  return read(bucket, way);
}
std::optional<Entry> read_entry(const xd_bucket6& bucket, size_t way) {
  return read(bucket, way);
}
std::optional<Entry> read_entry(const xd_template_bucket& bucket, size_t way) {
  return read(bucket, way);
}

const xd_real_server* real_server_of(const Entry& connection, bool ipv6, std::span<const xd_real_server> real_servers,
                                     uint32_t now) {
  if (connection.slot() >= real_servers.size()) return nullptr;
  const xd_real_server& server = real_servers[connection.slot()];
  const xd_way way = connection_of(connection);
  const bool lasts = server.state != XD_UNUSED && connection_age(way, now) <= server.timeout_ticks[way.state];
  return lasts && names(server, connection, ipv6) ? &server : nullptr;
}

const xd_virtual_server* virtual_server_of(const Entry& persistence_template,
                                           std::span<const xd_virtual_server> virtual_servers,
                                           std::span<const xd_real_server> real_servers, uint32_t now) {
  const xd_template way = template_of(persistence_template);
  const size_t index = way.virtual_server - 1;  // one more than the index stands there
  if (index >= virtual_servers.size() || way.slot >= real_servers.size()) return nullptr;
  const xd_virtual_server& server = virtual_servers[index];
  const xd_real_server& real_server = real_servers[way.slot];
  const bool runs = (server.flags & XD_USED) != 0 && template_age(way, now) <= server.persistence_ticks;
  return runs && real_server.state != XD_UNUSED && real_server.virtual_server == index ? &server : nullptr;
}

}  // namespace dataplane
