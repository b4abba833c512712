// SPDX-License-Identifier: Apache-2.0
#include "model/schedules.hpp"

#include <algorithm>
#include <utility>

#include "model/cycle.hpp"
#include "model/least_connections.hpp"
#include "model/maglev.hpp"

namespace model {
namespace {

// A real server that new connections are given to.
struct Scheduled {
  RealServerKey key;
  Slot slot = 0;
  uint16_t weight = 0;

  friend auto operator<=>(const Scheduled&, const Scheduled&) = default;
};

// By virtual server. Ordered by address and port, so that directors with the same view of health have the same
// schedules. A real server whose MAC is not known yet has to wait: a connection given to it would be lost.
std::vector<std::vector<Scheduled>> scheduled(const Tables& tables) {
  std::vector<std::vector<Scheduled>> all(XD_MAX_VIRTUAL_SERVERS);
  for (const auto& [slot, entry] : tables.real_servers) {
    if (entry.state == XD_ACTIVE && entry.next_hop.reachable())
      all.at(entry.virtual_server).push_back({entry.key, slot, entry.weight});
  }
  for (std::vector<Scheduled>& servers : all) std::ranges::sort(servers);
  return all;
}

std::vector<Slot> cycle_of(const std::vector<Scheduled>& servers) {
  std::vector<WeightedSlot> weighted;
  weighted.reserve(servers.size());
  for (const Scheduled& server : servers) weighted.push_back({server.slot, server.weight});
  return make_cycle(weighted);
}

std::vector<Slot> maglev_of(const std::vector<Scheduled>& servers, uint32_t length) {
  std::vector<MaglevServer> all;
  all.reserve(servers.size());
  for (const Scheduled& s : servers) all.push_back({s.key.address, s.key.port, s.slot, s.weight});
  return make_maglev(all, length);
}

std::vector<Slot> least_connections_of(const std::vector<Scheduled>& servers,
                                       const std::vector<ConnectionCounts>& connections, uint32_t length) {
  std::vector<LoadedServer> loaded;
  loaded.reserve(servers.size());
  for (const Scheduled& server : servers) {
    const ConnectionCounts counts = server.slot < connections.size() ? connections[server.slot] : ConnectionCounts{};
    loaded.push_back(
        {server.slot, server.weight, counts.active * kActiveOverhead + counts.inactive * kInactiveOverhead});
  }
  return least_connections(loaded, length);
}

uint64_t longest_cycle(const VirtualServer& server) {
  std::vector<WeightedSlot> weighted;
  weighted.reserve(server.real_servers.size());
  for (const RealServer& real : server.real_servers) {
    weighted.push_back({.weight = scheduled_weight(server.scheduler, real.weight)});
  }
  return cycle_length(weighted);
}

uint32_t count_least_connections(const Config& config) {
  return static_cast<uint32_t>(std::ranges::count_if(
      config.virtual_servers, [](const VirtualServer& server) { return by_connections(server.scheduler); }));
}

}  // namespace

void make_schedules(const Config& config, const Surroundings& surroundings, const Tables& now, Tables& tables) {
  const std::vector<std::vector<Scheduled>> before = scheduled(now), after = scheduled(tables);
  const uint32_t longest = longest_least_connections(count_least_connections(config));
  for (const VirtualServer& server : config.virtual_servers) {
    const Index index = tables.services.at(server.key);
    const std::vector<Scheduled>& servers = after[index];
    const auto found = now.virtual_servers.find(index);
    const bool same = found != now.virtual_servers.end() && before[index] == servers;
    VirtualServerEntry& entry = tables.virtual_servers.at(index);
    const uint32_t length = maglev_length(longest_cycle(server));
    const bool has_maglev = same && found->second.maglev.size() == length;
    entry.maglev = has_maglev ? found->second.maglev : maglev_of(servers, length);
    if (!by_connections(server.scheduler)) {
      entry.cycle = cycle_of(servers);
    } else if (same && !found->second.cycle.empty()) {
      entry.cycle = found->second.cycle;
    } else {
      entry.cycle = least_connections_of(servers, surroundings.connections, longest);
    }
  }
}

uint64_t schedule_slots(const Config& config) {
  const uint32_t longest = longest_least_connections(count_least_connections(config));
  uint64_t slots = 0;
  for (const VirtualServer& server : config.virtual_servers) {
    const uint64_t cycle = longest_cycle(server);
    slots += maglev_length(cycle) + (by_connections(server.scheduler) ? longest : cycle);
  }
  return slots;
}

Cycles rebalanced(const Config& config, const Tables& tables, const std::vector<ConnectionCounts>& connections,
                  const std::function<uint64_t(Index)>& arrivals) {
  Cycles cycles;
  const uint32_t count = count_least_connections(config);
  if (count == 0) return cycles;
  const std::vector<std::vector<Scheduled>> servers = scheduled(tables);
  for (const VirtualServer& server : config.virtual_servers) {
    if (!by_connections(server.scheduler)) continue;
    const Index index = tables.services.at(server.key);
    const uint32_t length = least_connections_length(arrivals(index), count);
    std::vector<Slot> cycle = least_connections_of(servers[index], connections, length);
    if (cycle != tables.virtual_servers.at(index).cycle) cycles[index] = std::move(cycle);
  }
  return cycles;
}

}  // namespace model
