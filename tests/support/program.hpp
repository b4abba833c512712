// SPDX-License-Identifier: Apache-2.0
// The packet program with tables of a test's own, loaded without pinning; its tables are open to read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "xdirector/maps.h"

struct bpf_map;
struct xdirector;

namespace test {

struct TableSizes {
  uint32_t buckets;
  uint32_t real_servers;
  uint32_t virtual_servers;
  uint32_t schedule_blocks;
  uint32_t template_buckets;
};

void* map_bytes(const bpf_map* table, size_t entry_size, size_t& size);
void clear_bytes(void* memory, size_t size);

// An mmapable map as an array.
template <typename T>
class Table {
 public:
  void map(const bpf_map* table) { entries_ = static_cast<T*>(map_bytes(table, sizeof(T), size_)); }
  void clear() const { clear_bytes(entries_, size_); }
  T& operator[](size_t index) const { return entries_[index]; }
  T* begin() const { return entries_; }

 private:
  T* entries_ = nullptr;
  size_t size_ = 0;
};

class Program {
 public:
  explicit Program(const TableSizes& sizes);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  const std::string& error() const { return error_; }  // why it could not be loaded, or empty
  int fd() const;
  int multi_buffer_fd() const;  // the one for frames of several buffers
  int egress_fd() const;        // the one at the exit
  volatile xd_settings& settings() const;
  int services() const;
  int services6() const;
  int port_marks() const;
  int port_marks6() const;
  int fragments() const;
  int vrrp_seen() const;
  int table(const char* name) const;  // any of them

  std::vector<uint64_t> counters() const;  // by verdict, of all CPUs
  xd_real_server_stats stats(uint16_t slot) const;

  void clear() const;  // all tables
  void age_fragments(uint32_t ticks) const;
  void clear_stats() const;

  Table<xd_interface> interfaces;
  Table<xd_virtual_server> virtual_servers;
  Table<xd_schedule_block> schedules;
  Table<xd_real_server> real_servers;
  Table<xd_lease> leases;
  Table<xd_bucket> connections;
  Table<xd_bucket6> connections6;
  Table<xd_template_bucket> persistence;
  Table<xd_address_filter> address_filter;

 private:
  void load(const TableSizes& sizes);

  xdirector* skeleton_ = nullptr;
  std::string error_;
};

}  // namespace test
