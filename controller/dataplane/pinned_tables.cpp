// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pinned_tables.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "dataplane/earlier_run.hpp"
#include "dataplane/encode.hpp"
#include "dataplane/entry.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

struct Pinned {
  base::Fd map;
  uint32_t id = 0;
};

base::Result<Pinned> open_pin(const char* name) {
  base::Result<base::Fd> map = pins::open(name);
  if (!map) return std::unexpected(map.error());
  if (!*map) return base::fail("no tables of xdirector here (it has not been started, or was taken off)");
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(map->get(), &info, &size) != 0) return base::fail_errno("cannot look at a BPF map");
  return Pinned{std::move(*map), info.id};
}

template <typename T>
base::Result<> map_pin(MappedArray<T>& array, const char* name) {
  const base::Result<Pinned> pinned = open_pin(name);
  if (!pinned) return std::unexpected(pinned.error());
  base::Result<MappedArray<T>> mapped = MappedArray<T>::map(pinned->map.get());
  if (!mapped) return std::unexpected(mapped.error());
  array = std::move(*mapped);
  return {};
}

base::Result<xd_settings> read_settings(const Pinned& pinned) {
  const std::optional<uint32_t> layout = layout_of(pinned.map.get());
  if (layout != XD_LAYOUT) {
    return base::fail(fmt::format("the tables are of another version of xdirector (layout {}; this one reads {})",
                                  layout.value_or(0), XD_LAYOUT));
  }
  const uint32_t key = 0;
  xd_settings settings{};
  if (bpf_map_lookup_elem(pinned.map.get(), &key, &settings) != 0) return base::fail_errno("cannot read the settings");
  return settings;
}

base::Ip address_of(const Entry& entry, size_t word) {
  base::Ip::Bytes bytes{};
  std::memcpy(bytes.data(), &entry.beside.at(word), bytes.size());
  return base::Ip(bytes);
}

}  // namespace

base::Result<PinnedTables> PinnedTables::open() {
  // A daemon that starts just now with tables of another size replaces the pins, `settings` last: then once more.
  for (;;) {
    const base::Result<Pinned> settings = open_pin("settings");
    if (!settings) return std::unexpected(settings.error());
    const base::Result<xd_settings> values = read_settings(*settings);
    if (!values) return std::unexpected(values.error());
    base::Result<TickClock> clock = TickClock::open(values->tick_shift);
    if (!clock) return std::unexpected(clock.error());
    PinnedTables tables(std::move(*clock));
    tables.settings_ = *values;
    const base::Result<> mapped = tables.map();
    const base::Result<Pinned> settings_now = open_pin("settings");
    if (!settings_now) return std::unexpected(settings_now.error());
    if (settings_now->id != settings->id) continue;
    if (!mapped) return std::unexpected(mapped.error());
    return tables;
  }
}

base::Result<> PinnedTables::map() {
  for (base::Result<> done : {map_pin(connections_, "connections"), map_pin(connections6_, "connections6"),
                              map_pin(templates_, "persistence"), map_pin(real_servers_, "real_servers"),
                              map_pin(virtual_servers_, "virtual_servers")}) {
    if (!done) return done;
  }
  return {};
}

base::Duration PinnedTables::duration(uint32_t ticks) const {
  return base::Duration(settings_.tick_ns) * ticks;
}

Connection PinnedTables::describe(const Entry& entry, bool ipv6, const xd_real_server& server, uint32_t now) const {
  const xd_way way = connection_of(entry);
  const uint32_t age = connection_age(way, now);
  Connection connection{.protocol = way.udp != 0 ? model::Protocol::udp : model::Protocol::tcp,
                        .client = base::Ipv4::from_network(static_cast<uint32_t>(way.client)),
                        .client_port = ntohs(static_cast<uint16_t>(way.client_port)),
                        .virtual_address = base::Ipv4::from_network(static_cast<uint32_t>(way.address)),
                        .virtual_port = ntohs(static_cast<uint16_t>(way.port)),
                        .real_server = {decode(server.address), ntohs(server.port)},
                        .state = static_cast<xd_connection_state>(way.state),
                        .age = duration(age),
                        .expires = duration(server.timeout_ticks[way.state] - age)};
  if (ipv6) {
    connection.client = address_of(entry, 0);
    connection.virtual_address = address_of(entry, 2);
  }
  return connection;
}

PersistenceTemplate PinnedTables::describe(const Entry& entry, const xd_virtual_server& server, uint32_t now) const {
  const xd_template way = template_of(entry);
  const bool ipv6 = (server.transport & XD_IPV6) != 0;
  const xd_real_server& real_server = real_servers_[way.slot];
  return {.client = ipv6 ? address_of(entry, 0) : base::Ipv4::from_network(static_cast<uint32_t>(way.client)),
          .prefix = server.persistence_prefix,
          .virtual_server = decode(server.key, ipv6),
          .real_server = {decode(real_server.address), ntohs(real_server.port)},
          .expires = duration(server.persistence_ticks - template_age(way, now))};
}

template <typename Bucket, typename Visit>
void PinnedTables::entries(std::span<const Bucket> buckets, const Visit& visit) const {
  constexpr size_t kBucketsPerLook = 1024;  // at the clock: whoever prints takes longer than a tick
  std::optional<uint32_t> now;
  for (size_t i = 0; i < buckets.size(); ++i) {
    if (i % kBucketsPerLook == 0) now = clock_.now();
    for (size_t way = 0; now && way < XD_WAYS; ++way) {
      if (const std::optional<Entry> entry = read_entry(buckets[i], way)) visit(*entry, *now);
    }
  }
}

void PinnedTables::for_each_connection(const std::function<void(const Connection&)>& visit) const {
  auto visit_entry = [&](bool ipv6) {
    return [&, ipv6](const Entry& entry, uint32_t now) {
      const xd_real_server* server = real_server_of(entry, ipv6, real_servers_.all(), now);
      if (server != nullptr) visit(describe(entry, ipv6, *server, now));
    };
  };
  entries(connections_.all(), visit_entry(false));
  entries(connections6_.all(), visit_entry(true));
}

void PinnedTables::for_each_template(const std::function<void(const PersistenceTemplate&)>& visit) const {
  entries(templates_.all(), [&](const Entry& entry, uint32_t now) {
    const xd_virtual_server* server = virtual_server_of(entry, virtual_servers_.all(), real_servers_.all(), now);
    if (server != nullptr) visit(describe(entry, *server, now));
  });
}

}  // namespace dataplane
