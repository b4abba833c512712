// SPDX-License-Identifier: Apache-2.0
// Where each cycle lies in the one array `schedules`. Old and new cycles stand side by side until no packet reads the
// old one any more.
#pragma once

#include <cstdint>
#include <map>

#include "base/result.hpp"
#include "model/tables.hpp"

namespace model {

struct Region {
  uint32_t offset = 0, length = 0;

  friend bool operator==(const Region&, const Region&) = default;
};

using Regions = std::map<Index, Region>;  // of the virtual servers that have a cycle

// Finds room for the cycle lengths in `wanted`, first fit, in `size` slots, away from everything in `occupied`.
base::Result<Regions> place_cycles(const Regions& occupied, const std::map<Index, uint32_t>& wanted, uint32_t size);

}  // namespace model
