// SPDX-License-Identifier: Apache-2.0
// What the BPF maps are to hold: a pure function of the configuration, the health, the neighbours, and of what the maps
// hold now. The last is the only memory: indices stay with their owners, and what was removed drains.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "model/config.hpp"
#include "model/port_ranges.hpp"
#include "xdirector/maps.h"

namespace model {

using Slot = uint16_t;   // index in the map `real_servers`; 0 is never given out
using Index = uint32_t;  // index in the map `virtual_servers`

struct RealServerKey {
  base::Ip address;
  uint16_t port = 0;

  std::string str() const;  // "192.168.100.34:9814", "[2001:db8::34]:9814"
  friend auto operator<=>(const RealServerKey&, const RealServerKey&) = default;
};

inline RealServerKey key_of(const RealServer& server) {
  return {server.address, server.port};
}

// A real server of a virtual server: what has a slot, a health and counters of its own.
struct Member {
  VirtualServerKey virtual_server;
  RealServerKey real_server;

  friend auto operator<=>(const Member&, const Member&) = default;
};

// How a real server is reached.
struct NextHop {
  uint32_t ifindex = 0;
  base::Mac source;              // of that interface
  std::optional<base::Mac> mac;  // of the real server; unknown until the kernel has resolved it
  bool local = false;            // this director is the real server: nothing of the above counts

  bool reachable() const { return local || mac; }
  friend bool operator==(const NextHop&, const NextHop&) = default;
};

// As `ipvsadm -Ln` has them: active is established, inactive is opening or closing.
struct ConnectionCounts {
  uint64_t active = 0, inactive = 0;
};

struct InterfaceEntry {
  base::Mac mac;
  std::set<base::Mac> peers;  // peer directors, as far as they are known

  friend bool operator==(const InterfaceEntry&, const InterfaceEntry&) = default;
};

struct VirtualServerEntry {
  VirtualServerKey key;
  uint32_t persistence_ticks = 0;  // 0: not persistent
  uint8_t persistence_prefix = 0;
  std::vector<Slot> cycle, maglev;  // empty: none to schedule, or removed
  xd_scheduler scheduler = XD_BY_TURN;
  bool hash_port = false, one_packet = false;

  friend bool operator==(const VirtualServerEntry&, const VirtualServerEntry&) = default;
};

struct RealServerEntry {
  Index virtual_server = 0;
  RealServerKey key;
  uint16_t weight = 0;  // for its scheduler; 0 when it was removed
  xd_real_server_state state = XD_UNUSED;
  NextHop next_hop;
  base::Ip virtual_address;   // none: any (a mark on several addresses)
  uint16_t virtual_port = 0;  // 0: any (a mark)
  Protocol protocol = Protocol::tcp;
  bool persistent = false;
  std::array<uint16_t, 4> timeout_ticks{};  // by xd_connection_state

  friend bool operator==(const RealServerEntry&, const RealServerEntry&) = default;
};

struct LeaseEntry {
  uint32_t index = 0;        // in the map `leases`
  uint32_t ifindex = 0;      // where the virtual address lives
  bool served_here = false;  // and on lo while this director is not MASTER: it is a real server, too

  friend bool operator==(const LeaseEntry&, const LeaseEntry&) = default;
};

struct Tables {
  std::map<uint32_t, InterfaceEntry> interfaces;  // by ifindex
  std::map<VirtualServerKey, Index> services;
  std::map<MarkedAddress, std::vector<PortRange>> port_marks;
  std::map<Index, VirtualServerEntry> virtual_servers;
  std::map<Slot, RealServerEntry> real_servers;
  std::map<base::Ip, LeaseEntry> leases;

  friend bool operator==(const Tables&, const Tables&) = default;
};

// Everything besides the configuration that decides what the maps hold.
struct Surroundings {
  std::set<Member> down;                            // failed their checks; all others are up
  std::map<base::Ip, NextHop> next_hops;            // of peer directors and real servers, draining ones too
  std::map<std::string, uint32_t> interface_index;  // of the configuration's interfaces that exist now
  std::map<uint32_t, base::Mac> interface_mac;      // of the attached ones
  std::set<Slot> idle;                              // slots that surely no connection holds
  std::set<base::Ip> released;                      // virtual addresses that are surely not on this host any more
  base::Duration tick{};                            // of the packet path's clock
  std::vector<ConnectionCounts> connections;        // by slot, as counted last; for lc and wlc, else empty
};

// Who has which slot.
std::map<Member, Slot> slots_by_member(const Tables& tables);

// The slots of real servers that have left the configuration: they drain.
std::map<Member, Slot> removed_members(const Config& config, const Tables& tables);

// An error means that a table is too small; `now` can go on unchanged.
base::Result<Tables> desired_tables(const Config& config, const Surroundings& surroundings, const Tables& now);

// Failed its checks, by what the tables say: one with inhibit_on_failure drains although it has a weight.
bool is_down(const RealServerEntry& entry);

// The health that the tables of an earlier run tell of.
std::set<Member> members_down(const Tables& tables);

}  // namespace model
