// SPDX-License-Identifier: Apache-2.0
#include "dataplane/maps.hpp"

#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <memory>

#include "dataplane/encode.hpp"
#include "xdirector/address_filter.h"

namespace dataplane {
namespace {

using model::Index;
using model::Slot;
using model::Tables;

template <typename T>
base::Result<> map_array(MappedArray<T>& array, int fd) {
  base::Result<MappedArray<T>> mapped = MappedArray<T>::map(fd);
  if (!mapped) return std::unexpected(mapped.error());
  array = std::move(*mapped);
  return {};
}

// nullptr where there is none.
template <typename Map, typename Key>
const typename Map::mapped_type* find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

// A lease's: the program compares the last word first, and all of it only matters while `until` is set.
void store_address(xd_address& where, const xd_address& address) {
  for (size_t i = 0; i < std::size(address.word); ++i) store(where.word[i], address.word[i]);
}

// A peer that stays keeps its place: at no moment is a frame of its own taken for a client's. A free place is zero.
base::Result<> write_peers(xd_interface& interface, const std::set<base::Mac>& peers) {
  std::set<__u64> missing;
  for (const base::Mac& peer : peers) missing.insert(encode_mac(peer));
  std::vector<uint32_t> free;
  for (uint32_t i = 0; i < XD_MAX_PEERS; ++i) {
    if (i >= interface.peers || missing.erase(interface.peer[i]) == 0) free.push_back(i);
  }
  if (missing.size() > free.size()) return base::fail(fmt::format("more than {} peer directors", XD_MAX_PEERS));
  for (const uint32_t i : free) {
    const __u64 peer = missing.empty() ? 0 : missing.extract(missing.begin()).value();
    store(interface.peer[i], peer);
    if (peer != 0 && i >= interface.peers) store(interface.peers, i + 1);
  }
  if (peers.empty()) store(interface.peers, __u32{0});
  return {};
}

template <typename Map, typename Key, typename Value>
bool holds(const Map& map, const Key& key, const Value& value) {
  const auto* found = find(map, key);
  return found != nullptr && *found == value;
}

// Where the filter has an address.
uint32_t filter_index(const base::Ip& address) {
  const xd_address encoded = encode(address);
  return address.is_v6() ? xd_filter_index6(&encoded) : xd_filter_index(encoded.word[3]);
}

}  // namespace

// Kernels that leave some CPUs without a tick (nohz_full) refuse; a packet takes microseconds.
void wait_for_packets_in_flight() {
  constexpr timespec kLongerThanAnyPacket{.tv_sec = 0, .tv_nsec = 10'000'000};
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) nanosleep(&kLongerThanAnyPacket, nullptr);
}

std::map<base::Ip, model::LeaseEntry> read_leases(std::span<const xd_lease> leases) {
  std::map<base::Ip, model::LeaseEntry> all;
  for (uint32_t i = 0; i < leases.size(); ++i) {
    const base::Ip address = decode(leases[i].address);
    if (address != base::Ip()) all[address] = {i, leases[i].ifindex, leases[i].served_here != 0};
  }
  return all;
}

base::Result<Maps> Maps::open(const MapFds& fds) {
  Maps maps;
  for (base::Result<> done :
       {map_array(maps.interfaces_, fds.at("interfaces")), map_array(maps.virtual_servers_, fds.at("virtual_servers")),
        map_array(maps.schedules_, fds.at("schedules")), map_array(maps.real_servers_, fds.at("real_servers")),
        map_array(maps.leases_, fds.at("leases")), map_array(maps.connections_, fds.at("connections")),
        map_array(maps.connections6_, fds.at("connections6")), map_array(maps.templates_, fds.at("persistence")),
        map_array(maps.address_filter_, fds.at("virtual_addresses"))}) {
    if (!done) return std::unexpected(done.error());
  }
  maps.services_ = HashMap<xd_service_key, __u32>(fds.at("services"));
  maps.services6_ = HashMap<xd_service_key6, __u32>(fds.at("services6"));
  maps.port_marks_ = HashMap<xd_marked_address, xd_port_ranges>(fds.at("port_marks"));
  maps.port_marks6_ = HashMap<xd_marked_address6, xd_port_ranges>(fds.at("port_marks6"));
  maps.counters_ = PerCpuCounters<xd_counters>(fds.at("counters"));
  maps.stats_ = PerCpuCounters<xd_real_server_stats>(fds.at("real_server_stats"));
  return maps;
}

// --- reading ---

std::vector<Slot> Maps::read_schedule(xd_cycle cycle) const {
  std::vector<Slot> slots;
  for (uint32_t i = 0; i < cycle.length && cycle.offset + i < XD_SCHEDULE_SLOTS; ++i) {
    const uint32_t at = cycle.offset + i;
    slots.push_back(schedules_[at / XD_SCHEDULE_BLOCK].slot[at % XD_SCHEDULE_BLOCK]);
  }
  return slots;
}

void Maps::read_virtual_servers(Tables& tables) const {
  for (Index i = 0; i < virtual_servers_.size(); ++i) {
    const xd_virtual_server& value = virtual_servers_[i];
    if ((value.flags & XD_USED) == 0) continue;
    tables.virtual_servers[i] = {.key = decode(value.key, (value.transport & XD_IPV6) != 0),
                                 .persistence_ticks = value.persistence_ticks,
                                 .persistence_prefix = value.persistence_prefix,
                                 .cycle = read_schedule(value.cycle),
                                 .maglev = read_schedule(value.maglev),
                                 .scheduler = static_cast<xd_scheduler>(value.scheduler),
                                 .hash_port = (value.flags & XD_HASH_PORT) != 0,
                                 .one_packet = (value.flags & XD_ONE_PACKET) != 0};
  }
}

void Maps::read_real_servers(Tables& tables) const {
  for (uint32_t slot = 1; slot < real_servers_.size(); ++slot) {
    const xd_real_server& value = real_servers_[slot];
    if (value.state == XD_UNUSED || !tables.virtual_servers.contains(value.virtual_server)) continue;
    tables.real_servers[static_cast<Slot>(slot)] = decode(value);
  }
}

void Maps::read_port_marks(Tables& tables) const {
  port_marks_.for_each([&](const xd_marked_address& key, const xd_port_ranges& value) {
    const base::Ip address = base::Ipv4::from_network(key.address);
    tables.port_marks[{address, static_cast<model::Protocol>(key.protocol)}] = decode(value);
  });
  port_marks6_.for_each([&](const xd_marked_address6& key, const xd_port_ranges& value) {
    tables.port_marks[{decode(key.address), static_cast<model::Protocol>(key.protocol)}] = decode(value);
  });
}

Tables Maps::read() const {
  Tables tables;
  for (const xd_interface& value : interfaces_.all()) {
    if (value.ifindex != 0) tables.interfaces[value.ifindex] = decode(value);
  }
  services_.for_each([&](const xd_service_key& key, const __u32& index) { tables.services[decode(key)] = index; });
  services6_.for_each(
      [&](const xd_service_key6& key, const __u32& index) { tables.services[decode(key, true)] = index; });
  read_port_marks(tables);
  read_virtual_servers(tables);
  read_real_servers(tables);
  tables.leases = read_leases(leases_.all());
  return tables;
}

// --- writing ---

base::Result<> Maps::change(const Tables& from, const Tables& to) {
  if (from == to) return {};
  base::Result<> done = transition(from, to);
  if (!done) static_cast<void>(transition(to, from));
  return done;
}

base::Result<> Maps::transition(const Tables& from, const Tables& to) {
  if (auto done = write_interfaces(from, to); !done) return done;
  write_leases(from, to);
  write_address_filter(to);
  write_virtual_servers(from, to);  // first: should we end here, no slot is left that nobody owns
  write_real_servers(from, to, true);
  if (auto done = write_schedules(from, to); !done) return done;
  if (auto done = write_port_marks(from, to); !done) return done;
  if (auto done = write_services(from, to); !done) return done;
  write_real_servers(from, to, false);
  clear_removed(from, to);
  return {};
}

base::Result<> Maps::write_interfaces(const Tables& from, const Tables& to) {
  // Few, and rarely changed: one that is gone makes its entry free, a new one takes the first free entry of its probes.
  for (xd_interface& entry : interfaces_.all()) {
    if (entry.ifindex == 0 || to.interfaces.contains(entry.ifindex)) continue;
    store(entry.ifindex, __u32{0});
    store(entry.mac_word, __u64{0});
    store(entry.peers, __u32{0});
  }
  for (const auto& [ifindex, interface] : to.interfaces) {
    if (holds(from.interfaces, ifindex, interface)) continue;
    xd_interface* place = nullptr;
    for (uint32_t probe = 0; probe < XD_INTERFACE_PROBES; ++probe) {
      xd_interface& entry = interfaces_[(ifindex + probe) % XD_INTERFACES];
      if (entry.ifindex == ifindex) place = &entry;
      if (entry.ifindex == 0 && place == nullptr) place = &entry;
    }
    if (place == nullptr) {
      return base::fail(fmt::format("no room for interface {}: more than {} have the same number modulo {}", ifindex,
                                    XD_INTERFACE_PROBES, XD_INTERFACES));
    }
    if (auto done = write_peers(*place, interface.peers); !done) return done;
    store(place->mac_word, encode_mac(interface.mac));
    store(place->ifindex, ifindex);
  }
  return {};
}

// Before the services, whose packets it lets through. While anything drains, nothing is taken out: the addresses of
// what was removed are not known any more when it was a mark on several.
void Maps::write_address_filter(const Tables& to) {
  auto wanted = std::make_unique<xd_address_filter>();
  auto add = [&](const base::Ip& address) { wanted->has[filter_index(address)] = 1; };
  for (const auto& [key, index] : to.services) {
    if (key.mark == 0) add(key.address);
  }
  for (const auto& [key, ranges] : to.port_marks) add(key.first);
  const bool drains = std::ranges::any_of(to.virtual_servers,
                                          [&](const auto& entry) { return !to.services.contains(entry.second.key); });
  xd_address_filter& filter = address_filter_[0];
  for (size_t i = 0; i < std::size(filter.has); ++i) {
    if (wanted->has[i] != filter.has[i] && (wanted->has[i] != 0 || !drains)) store(filter.has[i], wanted->has[i]);
  }
}

void Maps::let_through(const base::Ip& virtual_address) {
  __u8& has = address_filter_[0].has[filter_index(virtual_address)];
  if (has == 0) store(has, __u8{1});
}

void Maps::write_leases(const Tables& from, const Tables& to) {
  for (const auto& [address, lease] : to.leases) {
    if (holds(from.leases, address, lease)) continue;
    xd_lease& entry = leases_[lease.index];
    entry.ifindex = lease.ifindex;
    entry.served_here = lease.served_here ? 1 : 0;
    if (decode(entry.address) == address) continue;
    store(entry.until, __u64{0});  // fenced until the vrrp worker says otherwise
    store_address(entry.address, encode(address));
  }
}

void Maps::write_real_server(Slot slot, const model::RealServerEntry& entry, bool is_new) {
  xd_real_server& value = real_servers_[slot];
  if (is_new) {
    store(value.target, __u64{0});
    stats_.set(slot, {});
  }
  const bool moves = value.ifindex != entry.next_hop.ifindex || value.source != encode_mac(entry.next_hop.source);
  if (moves) {  // never with the MAC of one interface and the index of another
    xd_real_server unknown = value;
    unknown.delivery = XD_UNKNOWN;
    store(value.target, unknown.target);
    store(value.ifindex, entry.next_hop.ifindex);
    store(value.source, encode_mac(entry.next_hop.source));
  }
  value.virtual_server = entry.virtual_server;
  value.virtual_address = encode(entry.virtual_address);
  value.virtual_port = htons(entry.virtual_port);
  value.transport = encode_transport(entry.protocol, entry.key.address.is_v6());
  value.persistent = entry.persistent ? 1 : 0;
  std::memcpy(value.timeout_ticks, entry.timeout_ticks.data(), sizeof value.timeout_ticks);
  value.address = encode(entry.key.address);
  value.port = htons(entry.key.port);
  value.weight = entry.weight;
  store(value.target, encode_target(entry));
}

// Active ones before the cycles that name them, the others after the cycles that named them.
void Maps::write_real_servers(const Tables& from, const Tables& to, bool active) {
  for (const auto& [slot, entry] : to.real_servers) {
    if ((entry.state == XD_ACTIVE) != active) continue;
    const model::RealServerEntry* before = find(from.real_servers, slot);
    if (before == nullptr || *before != entry) write_real_server(slot, entry, before == nullptr);
  }
}

void Maps::write_virtual_servers(const Tables& from, const Tables& to) {
  for (const auto& [index, entry] : to.virtual_servers) {
    xd_virtual_server& value = virtual_servers_[index];
    if (!from.virtual_servers.contains(index)) {
      value = {};
      value.key = encode(entry.key);
      value.hash_seed = hash_seed(entry.key);
    }
    value.persistence_prefix = entry.persistence_prefix;
    value.transport = encode_transport(entry.key.protocol, entry.key.is_v6());
    store(value.persistence_ticks, entry.persistence_ticks);
    value.scheduler = static_cast<__u8>(entry.scheduler);
    value.flags = encode_flags(entry);
  }
}

std::vector<model::Region> Maps::regions() const {
  std::vector<model::Region> all;
  for (const xd_virtual_server& value : virtual_servers_.all()) {
    for (const xd_cycle& schedule : {value.cycle, value.maglev}) {
      if (schedule.length > 0) all.push_back({schedule.offset, schedule.length});
    }
  }
  return all;
}

void Maps::fill(const model::Region& region, const std::vector<Slot>& slots) {
  for (uint32_t i = 0; i < region.length; ++i) {
    const uint32_t at = region.offset + i;
    schedules_[at / XD_SCHEDULE_BLOCK].slot[at % XD_SCHEDULE_BLOCK] = slots[i];
  }
}

// All new ones are written beside the old ones before any comes into force.
base::Result<> Maps::replace(const std::vector<NewSchedule>& schedules) {
  if (schedules.empty()) return {};
  std::vector<uint32_t> lengths;
  lengths.reserve(schedules.size());
  for (const NewSchedule& schedule : schedules) lengths.push_back(static_cast<uint32_t>(schedule.slots->size()));
  const auto placed = model::place_schedules(regions(), lengths, XD_SCHEDULE_SLOTS);
  if (!placed) return std::unexpected(placed.error());
  for (size_t i = 0; i < schedules.size(); ++i) fill((*placed)[i], *schedules[i].slots);
  for (size_t i = 0; i < schedules.size(); ++i) {
    xd_cycle cycle{};
    cycle.offset = lengths[i] > 0 ? (*placed)[i].offset : 0;
    cycle.length = lengths[i];
    store(schedules[i].where->word, cycle.word);
    if (schedules[i].position != nullptr) store(*schedules[i].position, __u64{0});
  }
  wait_for_packets_in_flight();  // then the old regions are free
  return {};
}

base::Result<> Maps::write_schedules(const Tables& from, const Tables& to) {
  std::vector<NewSchedule> changed;
  for (const auto& [index, entry] : to.virtual_servers) {
    const model::VirtualServerEntry* before = find(from.virtual_servers, index);
    xd_virtual_server& value = virtual_servers_[index];
    if (before == nullptr || before->cycle != entry.cycle)
      changed.push_back({&value.cycle, &value.position, &entry.cycle});
    if (before == nullptr || before->maglev != entry.maglev) changed.push_back({&value.maglev, nullptr, &entry.maglev});
  }
  return replace(changed);
}

base::Result<> Maps::change_cycles(const model::Cycles& cycles) {
  std::vector<NewSchedule> changed;
  for (const auto& [index, cycle] : cycles) {
    xd_virtual_server& value = virtual_servers_[index];
    changed.push_back({&value.cycle, &value.position, &cycle});
  }
  return replace(changed);
}

base::Result<> Maps::write_services(const Tables& from, const Tables& to) {
  for (const auto& [key, index] : to.services) {
    if (holds(from.services, key, index)) continue;
    const auto done = key.is_v6() ? services6_.put(encode(key), index) : services_.put(encode_ipv4(key), index);
    if (!done) return done;
  }
  for (const auto& [key, index] : from.services) {
    if (to.services.contains(key)) continue;
    const auto done = key.is_v6() ? services6_.remove(encode(key)) : services_.remove(encode_ipv4(key));
    if (!done) return done;
  }
  return {};
}

base::Result<> Maps::write_port_marks(const Tables& from, const Tables& to) {
  for (const auto& [key, ranges] : to.port_marks) {
    if (holds(from.port_marks, key, ranges)) continue;
    if (ranges.size() > XD_MAX_PORT_RANGES) {
      return base::fail(fmt::format("{} has more than {} port ranges", key.first.str(), XD_MAX_PORT_RANGES));
    }
    const auto done = key.first.is_v6() ? port_marks6_.put(encode(key), encode(ranges))
                                        : port_marks_.put(encode_ipv4(key), encode(ranges));
    if (!done) return done;
  }
  for (const auto& [key, ranges] : from.port_marks) {
    if (to.port_marks.contains(key)) continue;
    const auto done = key.first.is_v6() ? port_marks6_.remove(encode(key)) : port_marks_.remove(encode_ipv4(key));
    if (!done) return done;
  }
  return {};
}

void Maps::clear_removed(const Tables& from, const Tables& to) {
  for (const auto& [slot, entry] : from.real_servers) {
    if (to.real_servers.contains(slot)) continue;
    store(real_servers_[slot].target, __u64{0});
    real_servers_[slot] = {};
  }
  for (const auto& [index, entry] : from.virtual_servers) {
    if (to.virtual_servers.contains(index)) continue;
    virtual_servers_[index].flags = 0;
    virtual_servers_[index] = {};
  }
  for (const auto& [address, lease] : from.leases) {
    if (to.leases.contains(address)) continue;
    store_address(leases_[lease.index].address, {});
    store(leases_[lease.index].until, __u64{0});
  }
}

}  // namespace dataplane
