// SPDX-License-Identifier: Apache-2.0
#include "dataplane/carry_over.hpp"

#include <array>
#include <cstring>

namespace dataplane {
namespace {

base::Ip virtual_address_of(const Entry& connection, bool ipv6) {
  if (!ipv6) return base::Ipv4::from_network(static_cast<uint32_t>(connection_of(connection).address));
  base::Ip::Bytes bytes{};
  std::memcpy(bytes.data(), &connection.beside[2], bytes.size());
  return base::Ip(bytes);
}

// How far a connection has come: what is later in the same tick.
int progress(const xd_way& way) {
  constexpr std::array<int, 4> kByState = {0, 3, 1, 2};  // opening, closing, young, proven
  return kByState.at(way.state);
}

}  // namespace

bool is_later(const Entry& old_entry, const Entry& new_entry, uint32_t tick,
              std::span<const xd_real_server> real_servers) {
  const xd_way was = connection_of(old_entry), is = connection_of(new_entry);
  if (was.slot != is.slot) {
    // One that goes on keeps its real server, though a packet of it came between the switch and this copy and was
    // placed anew. One that was closing may have been begun anew, one whose real server has failed was given another.
    return was.state != XD_CLOSING && real_servers[was.slot].state != XD_FAILED;
  }
  const uint32_t old_age = connection_age(was, tick), new_age = connection_age(is, tick);
  return old_age < new_age || (old_age == new_age && progress(was) > progress(is));
}

void CarryOver::copy_values(Maps& to, const model::Tables& tables) const {
  for (const auto& [index, entry] : had_.virtual_servers) {
    if (tables.virtual_servers.contains(index)) to.set_position(index, from_->position(index));
  }
  for (const auto& [slot, entry] : had_.real_servers) {
    if (tables.real_servers.contains(slot)) to.set_stats(slot, from_->stats(slot));
  }
  for (const auto& [address, lease] : had_.leases) {
    const auto now = tables.leases.find(address);
    if (now != tables.leases.end()) to.set_lease_until(now->second.index, from_->lease_until(lease.index));
  }
  to.set_counters(from_->counters());
}

template <typename Bucket>
void CarryOver::copy_connections(std::span<const Bucket> from, std::span<Bucket> into, Maps& to, uint32_t tick) {
  constexpr bool kIpv6 = std::is_same_v<Bucket, xd_bucket6>;
  EntryTable<Bucket> table(into, from_->settings().hash_seed);
  // Nothing that is there is displaced; so what should not be, comes first.
  for (const xd_connection_state state : {XD_PROVEN, XD_YOUNG, XD_CLOSING, XD_OPENING}) {
    for (const Bucket& bucket : from) {
      for (size_t i = 0; i < XD_WAYS; ++i) {
        const std::optional<Entry> entry = read_entry(bucket, i);
        if (!entry || connection_of(*entry).state != state) continue;
        if (real_server_of(*entry, kIpv6, to.real_servers(), tick) == nullptr) continue;
        if (const auto found = table.find(*entry)) {
          if (is_later(*entry, found->entry, tick, to.real_servers())) table.replace(*found, *entry);
        } else if (table.insert(*entry)) {
          ++outcome_.connections;
          to.let_through(virtual_address_of(*entry, kIpv6));
        } else {
          ++outcome_.no_room;
        }
      }
    }
  }
}

void CarryOver::copy_templates(Maps& to, uint32_t tick) {
  EntryTable<xd_template_bucket> table(to.template_buckets(), from_->settings().hash_seed);
  const std::vector<Entry> templates = from_->templates();
  for (const bool proven : {true, false}) {
    for (const Entry& entry : templates) {
      const xd_template way = template_of(entry);
      if ((way.proven != 0) != proven) continue;
      if (virtual_server_of(entry, to.virtual_servers(), to.real_servers(), tick) == nullptr) continue;
      if (const auto found = table.find(entry)) {
        const bool later = template_age(way, tick) < template_age(template_of(found->entry), tick);
        if (later) table.replace(*found, entry);
      } else if (table.insert(entry)) {
        ++outcome_.templates;
      } else {
        ++outcome_.no_room;
      }
    }
  }
}

void CarryOver::copy_entries(Maps& to, uint32_t tick) {
  outcome_.no_room = 0;
  copy_connections(from_->connections(), to.buckets(), to, tick);
  copy_connections(from_->connections6(), to.buckets6(), to, tick);
  copy_templates(to, tick);
}

}  // namespace dataplane
