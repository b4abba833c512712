// SPDX-License-Identifier: Apache-2.0
#include "model/schedule_space.hpp"

#include <fmt/format.h>

namespace model {

base::Result<Regions> place_cycles(const Regions& occupied, const std::map<Index, uint32_t>& wanted, uint32_t size) {
  std::map<uint32_t, uint32_t> taken;  // offset → length
  for (const auto& [index, region] : occupied) {
    if (region.length > 0) taken[region.offset] = region.length;
  }
  Regions placed;
  for (const auto& [index, length] : wanted) {
    uint32_t offset = 0;
    auto next = taken.begin();
    while (next != taken.end() && next->first - offset < length) {
      offset = next->first + next->second;
      ++next;
    }
    if (size - offset < length) {
      return base::fail(
          fmt::format("no room for a schedule of {} entries; use smaller weights with a common divisor", length));
    }
    placed[index] = {offset, length};
    if (length > 0) taken[offset] = length;
  }
  return placed;
}

}  // namespace model
