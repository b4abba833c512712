// SPDX-License-Identifier: Apache-2.0
// The cycle of a weighted-round-robin virtual server: which real server gets the 1st, 2nd ... connection, over and
// over.
#pragma once

#include <cstdint>
#include <vector>

namespace model {

struct WeightedSlot {
  uint16_t slot = 0;
  uint32_t weight = 0;  // 0: not scheduled
};

// sum(weights) / gcd(weights): how long the cycle will be. 0 when nothing is scheduled.
uint64_t cycle_length(const std::vector<WeightedSlot>& servers);

// Over one cycle every server appears exactly weight / gcd times, as evenly spread as can be. The result depends on the
// order of `servers` (ties go to the earlier one), so two directors that order them alike build the same cycle.
std::vector<uint16_t> make_cycle(const std::vector<WeightedSlot>& servers);

}  // namespace model
