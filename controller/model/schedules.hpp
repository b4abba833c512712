// SPDX-License-Identifier: Apache-2.0
// The two schedules of each virtual server: the cycle of its scheduler, and its Maglev table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "model/tables.hpp"

namespace model {

// Gives every virtual server of `config` its schedules in `tables`, where all else is in place. A Maglev table is taken
// from `now` while its real servers are the same, and so is the cycle of an lc or wlc virtual server.
void make_schedules(const Config& config, const Surroundings& surroundings, const Tables& now, Tables& tables);

// How many entries of the map `schedules` all of them take at most: with all their real servers up.
uint64_t schedule_slots(const Config& config);

using Cycles = std::map<Index, std::vector<Slot>>;

// The cycles of lc and wlc virtual servers, as the connections of each slot demand now; without those that are so
// already. `arrivals` says how many connections a virtual server has scheduled since it was asked last.
Cycles rebalanced(const Config& config, const Tables& tables, const std::vector<ConnectionCounts>& connections,
                  const std::function<uint64_t(Index)>& arrivals);

}  // namespace model
