// SPDX-License-Identifier: Apache-2.0
// The cycle of an lc or wlc virtual server: whom IPVS would give the next connections to, one after the other, if none
// of those that are there ended meanwhile. It is made anew whenever connections have been counted.
#pragma once

#include <cstdint>
#include <vector>

#include "xdirector/limits.h"

namespace model {

// A connection's weight in IPVS's eyes: ip_vs_dest_conn_overhead().
inline constexpr uint64_t kActiveOverhead = 256, kInactiveOverhead = 1;

struct LoadedServer {
  uint16_t slot = 0;
  uint32_t weight = 0;    // 0: not scheduled; for lc all others are 1
  uint64_t overhead = 0;  // kActiveOverhead for each active connection, kInactiveOverhead for each inactive one
};

// Each next connection goes to the server with the least overhead per weight, where those given so far count as active;
// the first of equals. Empty when no server has a weight.
std::vector<uint16_t> least_connections(const std::vector<LoadedServer>& servers, uint32_t length);

// How many connections to plan for, when `connections` have come since the cycle before was made: twice as many, for
// when they are all given the cycle begins again, with what it gave to a server that had none. All such virtual servers
// together have a sixteenth of the space for schedules.
uint32_t least_connections_length(uint64_t connections, uint32_t virtual_servers);
inline constexpr uint32_t kShortestLeastConnections = 64, kLongestLeastConnections = 4096;
uint32_t longest_least_connections(uint32_t virtual_servers);

}  // namespace model
