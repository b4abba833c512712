// SPDX-License-Identifier: Apache-2.0
// The maps of one loaded program, and model::Tables as they stand in them.
#pragma once

#include <map>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "dataplane/map.hpp"
#include "dataplane/named_maps.hpp"
#include "model/schedule_space.hpp"
#include "model/schedules.hpp"
#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

// Until no packet is processed any more that may have read what has just been replaced.
void wait_for_packets_in_flight();

std::map<base::Ip, model::LeaseEntry> read_leases(std::span<const xd_lease> leases);

class Maps {
 public:
  // Only arrays are held by what this returns; the descriptors are to outlive it.
  static base::Result<Maps> open(const MapFds& fds);

  // What an earlier run left, or nothing in maps that are new.
  model::Tables read() const;

  // Makes the maps hold `to` where they hold `from`; writes only what differs. The order keeps every packet served: a
  // cycle names active real servers only, a service names a virtual server that is there. On an error what was
  // written is taken back.
  base::Result<> change(const model::Tables& from, const model::Tables& to);

  // Puts these cycles in place of those there.
  base::Result<> change_cycles(const model::Cycles& cycles);

  // How many connections of this virtual server have been scheduled since its cycle was begun, those placed by a hash
  // and those that follow a template apart.
  uint64_t position(model::Index virtual_server) const {
    return __atomic_load_n(&virtual_servers_[virtual_server].position, __ATOMIC_RELAXED);
  }

  // The deadline of a lease; zero: nobody here is MASTER of its virtual address.
  base::Time lease_until(uint32_t index) const {
    return base::Time{static_cast<int64_t>(__atomic_load_n(&leases_[index].until, __ATOMIC_ACQUIRE))};
  }
  void end_lease(uint32_t index) { store(leases_[index].until, __u64{0}); }

  std::span<xd_bucket> buckets() const { return connections_.all(); }
  std::span<xd_bucket6> buckets6() const { return connections6_.all(); }
  std::span<xd_template_bucket> template_buckets() const { return templates_.all(); }

  // What an earlier run had, for the maps that follow it.
  void set_position(model::Index virtual_server, uint64_t position) {
    virtual_servers_[virtual_server].position = position;
  }
  void set_lease_until(uint32_t index, base::Time until) { store(leases_[index].until, static_cast<__u64>(until.ns)); }
  void set_counters(const xd_counters& counters) { counters_.set(0, counters); }
  void set_stats(model::Slot slot, const xd_real_server_stats& stats) { stats_.set(slot, stats); }
  // Packets to this virtual address are looked for in the tables, also where no service is left on it.
  void let_through(const base::Ip& virtual_address);

  std::span<const xd_virtual_server> virtual_servers() const { return virtual_servers_.all(); }
  std::span<const xd_real_server> real_servers() const { return real_servers_.all(); }
  xd_counters counters() const { return counters_.sum(0); }
  xd_real_server_stats stats(model::Slot slot) const { return stats_.sum(slot); }

 private:
  base::Result<> transition(const model::Tables& from, const model::Tables& to);
  base::Result<> write_schedules(const model::Tables& from, const model::Tables& to);
  void write_virtual_servers(const model::Tables& from, const model::Tables& to);
  void write_real_servers(const model::Tables& from, const model::Tables& to, bool active);
  void write_real_server(model::Slot slot, const model::RealServerEntry& entry, bool is_new);
  base::Result<> write_services(const model::Tables& from, const model::Tables& to);
  base::Result<> write_port_marks(const model::Tables& from, const model::Tables& to);
  base::Result<> write_interfaces(const model::Tables& from, const model::Tables& to);
  void write_address_filter(const model::Tables& to);
  void write_leases(const model::Tables& from, const model::Tables& to);
  void clear_removed(const model::Tables& from, const model::Tables& to);

  void read_virtual_servers(model::Tables& tables) const;
  void read_real_servers(model::Tables& tables) const;
  void read_port_marks(model::Tables& tables) const;
  std::vector<model::Slot> read_schedule(xd_cycle cycle) const;

  struct NewSchedule {
    xd_cycle* where;
    __u64* position;  // begins anew with it; none for a Maglev table
    const std::vector<model::Slot>* slots;
  };
  base::Result<> replace(const std::vector<NewSchedule>& schedules);
  void fill(const model::Region& region, const std::vector<model::Slot>& slots);
  std::vector<model::Region> regions() const;

  MappedArray<xd_address_filter> address_filter_;
  MappedArray<xd_interface> interfaces_;
  MappedArray<xd_virtual_server> virtual_servers_;
  MappedArray<xd_schedule_block> schedules_;
  MappedArray<xd_real_server> real_servers_;
  MappedArray<xd_lease> leases_;
  MappedArray<xd_bucket> connections_;
  MappedArray<xd_bucket6> connections6_;
  MappedArray<xd_template_bucket> templates_;
  HashMap<xd_service_key, __u32> services_;
  HashMap<xd_service_key6, __u32> services6_;
  HashMap<xd_marked_address, xd_port_ranges> port_marks_;
  HashMap<xd_marked_address6, xd_port_ranges> port_marks6_;
  PerCpuCounters<xd_counters> counters_;
  PerCpuCounters<xd_real_server_stats> stats_;
};

}  // namespace dataplane
