// SPDX-License-Identifier: Apache-2.0
#include "model/port_ranges.hpp"

#include <set>

namespace model {
namespace {

std::vector<PortRange> flatten_one(const std::vector<PortMark>& rules) {
  // Between two neighbouring borders every rule covers all ports or none.
  std::set<uint32_t> borders;
  for (const PortMark& rule : rules) {
    borders.insert(rule.first_port);
    borders.insert(uint32_t{rule.last_port} + 1);
  }
  std::vector<PortRange> ranges;
  for (auto border = borders.begin(); std::next(border) != borders.end(); ++border) {
    const auto first = static_cast<uint16_t>(*border), last = static_cast<uint16_t>(*std::next(border) - 1);
    uint32_t mark = 0;
    for (const PortMark& rule : rules) {
      if (rule.first_port <= first && last <= rule.last_port) mark = rule.mark;
    }
    if (mark == 0) continue;
    const bool continues = !ranges.empty() && ranges.back().mark == mark && ranges.back().last + 1 == first;
    if (continues) {
      ranges.back().last = last;
    } else {
      ranges.push_back({first, last, mark});
    }
  }
  return ranges;
}

}  // namespace

std::map<MarkedAddress, std::vector<PortRange>> flatten(const std::vector<PortMark>& rules) {
  std::map<MarkedAddress, std::vector<PortMark>> by_address;
  for (const PortMark& rule : rules) by_address[{rule.address, rule.protocol}].push_back(rule);
  std::map<MarkedAddress, std::vector<PortRange>> flat;
  for (const auto& [address, its_rules] : by_address) flat[address] = flatten_one(its_rules);
  return flat;
}

}  // namespace model
