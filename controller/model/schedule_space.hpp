// SPDX-License-Identifier: Apache-2.0
// Where each schedule lies in the one array `schedules`. Old and new ones stand side by side until no packet reads the
// old ones any more.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace model {

struct Region {
  uint32_t offset = 0, length = 0;

  friend bool operator==(const Region&, const Region&) = default;
};

// Finds room for schedules of these lengths, in their order, in `size` slots, away from everything in `occupied`: each
// in the first gap that is large enough, short ones first.
base::Result<std::vector<Region>> place_schedules(std::vector<Region> occupied, const std::vector<uint32_t>& lengths,
                                                  uint32_t size);

}  // namespace model
