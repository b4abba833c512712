// SPDX-License-Identifier: Apache-2.0
// Layout 1, the version before: IPv4 only, templates in an LRU hash of the kernel's. What a start has to know of it to
// carry its tables over; to be removed with layout 3.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "dataplane/earlier_run.hpp"

namespace dataplane::layout1 {

inline constexpr uint32_t kLayout = 1;

struct Settings {
  __u64 hash_seed;
  __u32 layout, buckets, tick_shift, tick_ns;
};

struct VirtualServer {
  xd_service_key key;
  __u32 cycle[2];
  __u64 position;
  __u32 hash_seed;
  __u32 persistence_ticks;
  __be32 persistence_mask;
  __u32 used;
  __u64 reserved[3];
};

struct RealServer {
  __u8 mac[6];
  __u8 state;
  __u8 has_mac;
  __u8 source_mac[6];
  __u8 reserved[2];
  __u32 ifindex;
  __u32 virtual_server;
  __be32 virtual_address;
  __be16 virtual_port;
  __u8 protocol;
  __u8 persistent;
  __u16 timeout_ticks[4];
  __be32 address;
  __be16 port;
  __u16 weight;
  __u32 reserved2[4];
};

struct Lease {
  __be32 address;  // 0: unused
  __u32 ifindex;
  __u64 until;
};

struct Client {
  __be32 address;  // masked
  __u32 virtual_server;
};

struct Template {
  __u16 slot;
  __u16 proven;
  __u32 seen_tick;
};

// In the order of its verdicts.
struct Counters {
  __u64 forwarded, scheduled, persisted, hashed, rescheduled, unlearned, passed_not_ip, passed_not_ours,
      passed_malformed, passed_fragment, passed_protocol, passed_no_service, dropped_fenced, dropped_no_real_server,
      dropped_no_mac, dropped_bad_table;
};

static_assert(sizeof(Settings) == 24 && sizeof(VirtualServer) == 64 && sizeof(RealServer) == 64 && sizeof(Lease) == 16);

// Buckets of connections and the counters of real servers are as they are now.
std::unique_ptr<EarlierRun> open();

std::map<base::Ip, model::LeaseEntry> read_leases(std::span<const Lease> leases);

}  // namespace dataplane::layout1
