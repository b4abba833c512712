// SPDX-License-Identifier: Apache-2.0
// Loading by the skeleton; what the controller reads and writes by system calls is here.
#include "support/program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "xdirector.skel.h"  // after maps.h, whose types it names

namespace test {
namespace {

template <typename Key>
void clear_hash(int map) {
  Key key{};
  while (bpf_map_get_next_key(map, nullptr, &key) == 0) bpf_map_delete_elem(map, &key);
}

template <typename Value>
std::vector<Value> read_per_cpu(const bpf_map* map, uint32_t key) {
  std::vector<Value> values(static_cast<size_t>(libbpf_num_possible_cpus()));
  bpf_map_lookup_elem(bpf_map__fd(map), &key, values.data());
  return values;
}

template <typename Value>
void clear_per_cpu(const bpf_map* map) {
  const std::vector<Value> zeros(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t key = 0; key < bpf_map__max_entries(map); key++) {
    bpf_map_update_elem(bpf_map__fd(map), &key, zeros.data(), BPF_ANY);
  }
}

}  // namespace

void* map_bytes(const bpf_map* table, size_t entry_size, size_t& size) {
  size = entry_size * bpf_map__max_entries(table);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(table), 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void clear_bytes(void* memory, size_t size) {
  memset(memory, 0, size);
}

Program::Program(const TableSizes& sizes) {
  if (geteuid() != 0) {
    error_ = "loading a BPF program needs root";
  } else {
    load(sizes);
  }
}

Program::~Program() {
  xdirector::destroy(skeleton_);
}

void Program::load(const TableSizes& sizes) {
  skeleton_ = xdirector::open();
  auto& maps = skeleton_->maps;
  bpf_map__set_max_entries(maps.connections, sizes.buckets);
  bpf_map__set_max_entries(maps.real_servers, sizes.real_servers);
  bpf_map__set_max_entries(maps.real_server_stats, sizes.real_servers);
  bpf_map__set_max_entries(maps.virtual_servers, sizes.virtual_servers);
  bpf_map__set_max_entries(maps.schedules, sizes.schedule_blocks);
  bpf_map__set_max_entries(maps.connections6, sizes.buckets);
  bpf_map__set_max_entries(maps.persistence, sizes.template_buckets);
  if (const int failed = xdirector::load(skeleton_)) {
    error_ = std::string("the kernel refused the program: ") + strerror(-failed);
    return;
  }
  interfaces.map(maps.interfaces);
  virtual_servers.map(maps.virtual_servers);
  schedules.map(maps.schedules);
  real_servers.map(maps.real_servers);
  leases.map(maps.leases);
  connections.map(maps.connections);
  settings().layout = XD_LAYOUT;
  connections6.map(maps.connections6);
  persistence.map(maps.persistence);
  address_filter.map(maps.data_addresses);
  settings().buckets = sizes.buckets;
  settings().buckets6 = sizes.buckets;
  settings().template_buckets = sizes.template_buckets;
}

volatile xd_settings& Program::settings() const {
  return skeleton_->data_settings->settings;
}
int Program::services() const {
  return bpf_map__fd(skeleton_->maps.services);
}
int Program::port_marks() const {
  return bpf_map__fd(skeleton_->maps.port_marks);
}
int Program::services6() const {
  return bpf_map__fd(skeleton_->maps.services6);
}
int Program::port_marks6() const {
  return bpf_map__fd(skeleton_->maps.port_marks6);
}
int Program::fragments() const {
  return bpf_map__fd(skeleton_->maps.fragments);
}
int Program::vrrp_seen() const {
  return bpf_map__fd(skeleton_->maps.vrrp_seen);
}
int Program::table(const char* name) const {
  return bpf_object__find_map_fd_by_name(skeleton_->obj, name);
}
int Program::fd() const {
  return bpf_program__fd(skeleton_->progs.xdirector);
}
int Program::multi_buffer_fd() const {
  return bpf_program__fd(skeleton_->progs.xdirector_frags);
}

int Program::egress_fd() const {
  return bpf_program__fd(skeleton_->progs.egress_fence);
}

std::vector<uint64_t> Program::counters() const {
  struct Counters {
    uint64_t of[XD_VERDICT_COUNT];
  };
  std::vector<uint64_t> sums(XD_VERDICT_COUNT);
  for (const Counters& one : read_per_cpu<Counters>(skeleton_->maps.counters, 0)) {
    for (size_t i = 0; i < sums.size(); i++) sums[i] += one.of[i];
  }
  return sums;
}

xd_real_server_stats Program::stats(uint16_t slot) const {
  xd_real_server_stats sum{};
  for (const auto& one : read_per_cpu<xd_real_server_stats>(skeleton_->maps.real_server_stats, slot)) {
    sum.packets += one.packets;
    sum.bytes += one.bytes;
    sum.connections += one.connections;
  }
  return sum;
}

void Program::clear() const {
  interfaces.clear();
  virtual_servers.clear();
  schedules.clear();
  real_servers.clear();
  leases.clear();
  connections.clear();
  clear_hash<xd_service_key>(services());
  clear_hash<xd_marked_address>(port_marks());
  connections6.clear();
  persistence.clear();
  address_filter.clear();
  clear_hash<xd_service_key6>(services6());
  clear_hash<xd_marked_address6>(port_marks6());
  clear_hash<xd_fragment_key>(fragments());
  clear_hash<xd_vrrp_key>(vrrp_seen());
  clear_stats();
  clear_per_cpu<xd_counters>(skeleton_->maps.counters);
}

void Program::age_fragments(uint32_t ticks) const {
  xd_fragment_key key{};
  xd_fragmented value{};
  for (const xd_fragment_key* at = nullptr; bpf_map_get_next_key(fragments(), at, &key) == 0; at = &key) {
    if (bpf_map_lookup_elem(fragments(), &key, &value)) continue;
    value.tick -= ticks;
    bpf_map_update_elem(fragments(), &key, &value, BPF_EXIST);
  }
}

void Program::clear_stats() const {
  clear_per_cpu<xd_real_server_stats>(skeleton_->maps.real_server_stats);
}

}  // namespace test
