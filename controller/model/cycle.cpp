// SPDX-License-Identifier: Apache-2.0
#include "model/cycle.hpp"

#include <cstddef>
#include <numeric>
#include <queue>

namespace model {
namespace {

uint32_t common_divisor(const std::vector<WeightedSlot>& servers) {
  uint32_t divisor = 0;
  for (const WeightedSlot& server : servers) divisor = std::gcd(divisor, server.weight);
  return divisor;
}

// The k-th turn of a server of weight w is due at (2k + 1) / 2w of the cycle: the middle of its k-th share.
struct Turn {
  std::size_t server = 0;
  uint64_t weight = 0;
  uint64_t k = 0;

  // Later than: for a queue that gives the earliest turn first.
  friend bool operator<(const Turn& a, const Turn& b) {
    const uint64_t left = (2 * a.k + 1) * b.weight, right = (2 * b.k + 1) * a.weight;
    return left != right ? left > right : a.server > b.server;
  }
};

}  // namespace

uint64_t cycle_length(const std::vector<WeightedSlot>& servers) {
  const uint32_t divisor = common_divisor(servers);
  uint64_t sum = 0;
  for (const WeightedSlot& server : servers) sum += server.weight;
  return divisor == 0 ? 0 : sum / divisor;
}

std::vector<uint16_t> make_cycle(const std::vector<WeightedSlot>& servers) {
  const uint32_t divisor = common_divisor(servers);
  std::vector<uint16_t> cycle;
  if (divisor == 0) return cycle;
  cycle.reserve(cycle_length(servers));
  std::priority_queue<Turn> turns;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (servers[i].weight != 0) turns.push({.server = i, .weight = servers[i].weight / divisor, .k = 0});
  }
  while (!turns.empty()) {
    Turn turn = turns.top();
    turns.pop();
    cycle.push_back(servers[turn.server].slot);
    if (++turn.k < turn.weight) turns.push(turn);
  }
  return cycle;
}

}  // namespace model
