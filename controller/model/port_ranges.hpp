// SPDX-License-Identifier: Apache-2.0
// Port marks as the packet path wants them: for each (address, protocol) disjoint ranges in ascending order.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "model/config.hpp"

namespace model {

struct PortRange {
  uint16_t first = 0, last = 0;  // inclusive, host byte order
  uint32_t mark = 0;

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

using MarkedAddress = std::pair<base::Ip, Protocol>;

// Where rules overlap the last one wins, as with iptables' MARK target. n rules make at most 2n - 1 ranges.
std::map<MarkedAddress, std::vector<PortRange>> flatten(const std::vector<PortMark>& rules);

}  // namespace model
