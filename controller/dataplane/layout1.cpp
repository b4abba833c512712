// SPDX-License-Identifier: Apache-2.0
#include "dataplane/layout1.hpp"

#include <bpf/bpf.h>

#include <bit>
#include <cstring>

#include "dataplane/encode.hpp"
#include "dataplane/map.hpp"
#include "dataplane/pins.hpp"

namespace dataplane::layout1 {
namespace {

base::Ip decode_address(__be32 address) {
  return address == 0 ? base::Ip() : base::Ip(base::Ipv4::from_network(address));
}

model::RealServerEntry decode(const RealServer& value) {
  model::RealServerEntry entry;
  entry.virtual_server = value.virtual_server;
  entry.key = {decode_address(value.address), ntohs(value.port)};
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

Entry decode(const Client& client, const Template& value) {
  xd_template way{};
  way.client = client.address;
  way.virtual_server = client.virtual_server + 1;  // one more than the index, as in bpf/persistence.h
  way.slot = value.slot;
  way.seen_tick = value.seen_tick;
  way.proven = value.proven != 0;
  Entry entry{.w0 = way.w0};
  entry.w1 = way.w1;
  return entry;
}

class Run : public EarlierRun {
 public:
  bool map() {
    const uint32_t key = 0;
    return hold(settings_map_, "settings", sizeof settings_) && hold(templates_, "persistence", sizeof(Template)) &&
           hold(counters_map_, "counters", sizeof(Counters)) &&
           hold(stats_map_, "real_server_stats", sizeof(xd_real_server_stats)) &&
           hold_array(virtual_servers_, "virtual_servers") && hold_array(real_servers_, "real_servers") &&
           hold_array(leases_, "leases") && hold_array(connections_, "connections") &&
           bpf_map_lookup_elem(settings_map_.get(), &key, &settings_) == 0;
  }

  xd_settings settings() const override {
    return {.hash_seed = settings_.hash_seed,
            .layout = settings_.layout,
            .buckets = settings_.buckets,
            .tick_shift = settings_.tick_shift,
            .tick_ns = settings_.tick_ns,
            .buckets6 = 0,
            .template_buckets = 0};
  }

  model::Tables tables() const override {
    model::Tables tables;
    for (size_t i = 0; i < virtual_servers_.size(); ++i) {
      const VirtualServer& value = virtual_servers_[i];
      if (value.used == 0) continue;
      model::VirtualServerEntry& entry = tables.virtual_servers[static_cast<model::Index>(i)];
      entry.key = dataplane::decode(value.key);
      entry.persistence_ticks = value.persistence_ticks;
      entry.persistence_prefix = static_cast<uint8_t>(std::popcount(value.persistence_mask));
    }
    for (size_t slot = 1; slot < real_servers_.size(); ++slot) {
      const RealServer& value = real_servers_[slot];
      if (value.state == XD_UNUSED || !tables.virtual_servers.contains(value.virtual_server)) continue;
      tables.real_servers[static_cast<model::Slot>(slot)] = decode(value);
    }
    tables.leases = read_leases(leases_.all());
    return tables;
  }

  uint64_t position(model::Index virtual_server) const override { return virtual_servers_[virtual_server].position; }
  base::Time lease_until(uint32_t index) const override {
    return base::Time{static_cast<int64_t>(leases_[index].until)};
  }

  xd_counters counters() const override {
    const Counters had = PerCpuCounters<Counters>(counters_map_.get()).sum(0);
    xd_counters counters{};
#define XD_TAKE(name) counters.name = had.name
    XD_TAKE(forwarded);
    XD_TAKE(scheduled);
    XD_TAKE(persisted);
    XD_TAKE(hashed);
    XD_TAKE(rescheduled);
    XD_TAKE(unlearned);
    XD_TAKE(passed_not_ip);
    XD_TAKE(passed_not_ours);
    XD_TAKE(passed_malformed);
    XD_TAKE(passed_fragment);
    XD_TAKE(passed_protocol);
    XD_TAKE(passed_no_service);
    XD_TAKE(dropped_fenced);
    XD_TAKE(dropped_no_real_server);
    XD_TAKE(dropped_no_mac);
    XD_TAKE(dropped_bad_table);
#undef XD_TAKE
    return counters;
  }

  xd_real_server_stats stats(model::Slot slot) const override {
    return PerCpuCounters<xd_real_server_stats>(stats_map_.get()).sum(slot);
  }

  std::span<const xd_bucket> connections() const override { return connections_.all(); }
  std::span<const xd_bucket6> connections6() const override { return {}; }

  // In batches: a walk from key to key begins anew when its key is displaced, and may never end.
  std::vector<Entry> templates() const override {
    std::vector<Entry> all;
    std::vector<Client> clients(4096);
    std::vector<Template> values(clients.size());
    uint64_t batch = 0;
    for (bool first = true, more = true; more; first = false) {
      auto count = static_cast<uint32_t>(clients.size());
      const int error = bpf_map_lookup_batch(templates_.get(), first ? nullptr : &batch, &batch, clients.data(),
                                             values.data(), &count, nullptr);
      if (error != 0 && error != -ENOENT) break;
      for (size_t i = 0; i < count; ++i) all.push_back(decode(clients[i], values[i]));
      more = error == 0;
    }
    return all;
  }

 private:
  static bool hold(base::Fd& fd, const char* name, size_t value_size) {
    base::Result<base::Fd> map = pins::open(name);
    bpf_map_info info{};
    uint32_t size = sizeof info;
    if (!map || !*map || bpf_obj_get_info_by_fd(map->get(), &info, &size) != 0) return false;
    fd = std::move(*map);
    return info.value_size == value_size;
  }

  template <typename T>
  static bool hold_array(MappedArray<const T>& array, const char* name) {
    const base::Result<base::Fd> map = pins::open(name);
    if (!map || !*map) return false;
    base::Result<MappedArray<const T>> mapped = MappedArray<const T>::map(map->get());
    if (mapped) array = std::move(*mapped);
    return mapped.has_value();
  }

  Settings settings_{};
  base::Fd settings_map_, templates_, counters_map_, stats_map_;
  MappedArray<const VirtualServer> virtual_servers_;
  MappedArray<const RealServer> real_servers_;
  MappedArray<const Lease> leases_;
  MappedArray<const xd_bucket> connections_;
};

}  // namespace

std::unique_ptr<EarlierRun> open() {
  auto run = std::make_unique<Run>();
  return run->map() ? std::move(run) : nullptr;
}

std::map<base::Ip, model::LeaseEntry> read_leases(std::span<const Lease> leases) {
  std::map<base::Ip, model::LeaseEntry> all;
  for (uint32_t i = 0; i < leases.size(); ++i) {
    if (leases[i].address != 0) all[base::Ipv4::from_network(leases[i].address)] = {i, leases[i].ifindex};
  }
  return all;
}

}  // namespace dataplane::layout1
