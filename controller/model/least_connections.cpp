// SPDX-License-Identifier: Apache-2.0
#include "model/least_connections.hpp"

#include <algorithm>
#include <queue>

namespace model {
namespace {

struct Candidate {
  size_t server = 0;
  uint64_t overhead = 0;
  uint64_t weight = 0;

  // More loaded than: for a queue that gives the least loaded first. (No overflow: 2^26 connections × 256 × 2^16.)
  friend bool operator<(const Candidate& a, const Candidate& b) {
    const uint64_t left = a.overhead * b.weight, right = b.overhead * a.weight;
    return left != right ? left > right : a.server > b.server;
  }
};

}  // namespace

std::vector<uint16_t> least_connections(const std::vector<LoadedServer>& servers, uint32_t length) {
  std::priority_queue<Candidate> candidates;
  for (size_t i = 0; i < servers.size(); ++i) {
    if (servers[i].weight != 0) candidates.push({i, servers[i].overhead, servers[i].weight});
  }
  std::vector<uint16_t> cycle;
  if (candidates.empty()) return cycle;
  cycle.reserve(length);
  while (cycle.size() < length) {
    Candidate least = candidates.top();
    candidates.pop();
    cycle.push_back(servers[least.server].slot);
    least.overhead += kActiveOverhead;
    candidates.push(least);
  }
  return cycle;
}

uint32_t longest_least_connections(uint32_t virtual_servers) {
  constexpr uint32_t kSpace = XD_SCHEDULE_SLOTS / 16;
  return std::clamp(kSpace / std::max(virtual_servers, 1U), kShortestLeastConnections, kLongestLeastConnections);
}

uint32_t least_connections_length(uint64_t connections, uint32_t virtual_servers) {
  const uint64_t longest = longest_least_connections(virtual_servers);
  return static_cast<uint32_t>(std::clamp<uint64_t>(connections * 2, kShortestLeastConnections, longest));
}

}  // namespace model
