// SPDX-License-Identifier: Apache-2.0
#include "model/tables.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/schedules.hpp"

namespace model {
namespace {

constexpr base::Duration kOpeningTimeout = std::chrono::seconds(60);  // as IPVS's SYN_RECV

// Rounded up: a timeout never ends early. One more, for a stamp is up to a tick old when it is set.
uint32_t to_ticks(base::Duration timeout, base::Duration tick) {
  return static_cast<uint32_t>((timeout.count() + tick.count() - 1) / tick.count()) + 1;
}

std::array<uint16_t, 4> timeout_ticks(const VirtualServer& server, base::Duration tick) {
  std::array<uint16_t, 4> ticks{};
  auto set = [&](xd_connection_state state, base::Duration timeout) {
    ticks.at(state) = static_cast<uint16_t>(to_ticks(timeout, tick));
  };
  const bool tcp = server.key.protocol == Protocol::tcp;
  const base::Duration established = tcp ? server.tcp_timeout : server.udp_timeout;
  set(XD_OPENING, tcp ? std::min(kOpeningTimeout, established) : established);
  set(XD_CLOSING, tcp ? server.tcp_fin_timeout : established);
  set(XD_YOUNG, established);
  set(XD_PROVEN, established);
  return ticks;
}

// Its own, or those that its mark is put on.
std::set<base::Ip> addresses_of(const VirtualServerKey& key, const std::vector<PortMark>& rules) {
  if (key.mark == 0) return {key.address};
  std::set<base::Ip> addresses;
  for (const PortMark& rule : rules) {
    const bool its = rule.mark == key.mark && rule.protocol == key.protocol && rule.address.is_v6() == key.mark_v6;
    if (its) addresses.insert(rule.address);
  }
  return addresses;
}

// The one virtual address of all its connections, none where a mark is put on several.
base::Ip only_address(const VirtualServerKey& key, const std::vector<PortMark>& rules) {
  const std::set<base::Ip> addresses = addresses_of(key, rules);
  return addresses.size() == 1 ? *addresses.begin() : base::Ip();
}

xd_real_server_state state_of(const RealServer& server, bool up) {
  if (!up && !server.inhibit_on_failure) return XD_FAILED;
  return up && server.weight > 0 ? XD_ACTIVE : XD_DRAINING;
}

xd_scheduler chosen_by(Scheduler scheduler) {
  if (scheduler == Scheduler::sh) return XD_BY_CYCLE;
  return scheduler == Scheduler::mh ? XD_BY_MAGLEV : XD_BY_TURN;
}

// Finds free numbers in [first, end) that `taken` does not have, each once.
class FreeNumbers {
 public:
  FreeNumbers(uint32_t first, uint32_t end, const std::vector<uint32_t>& taken) : next_(first), taken_(end) {
    for (const uint32_t number : taken) taken_.at(number) = true;
  }

  std::optional<uint32_t> take() {
    while (next_ < taken_.size() && taken_[next_]) ++next_;
    return next_ < taken_.size() ? std::optional(next_++) : std::nullopt;
  }

 private:
  uint32_t next_;
  std::vector<bool> taken_;
};

template <typename Map>
std::vector<uint32_t> keys(const Map& map) {
  std::vector<uint32_t> all;
  all.reserve(map.size());
  for (const auto& [key, value] : map) all.push_back(key);
  return all;
}

// Builds one set of tables; each step reads what the steps before it have made.
class Builder {
 public:
  Builder(const Config& config, const Surroundings& surroundings, const Tables& now)
      : config_(config), around_(surroundings), now_(now) {}

  base::Result<Tables> build() {
    place_interfaces();
    tables_.port_marks = flatten(config_.port_marks);
    keep_what_drains();
    if (auto done = place_virtual_servers(); !done) return std::unexpected(done.error());
    if (auto done = place_real_servers(); !done) return std::unexpected(done.error());
    make_schedules(config_, around_, now_, tables_);
    if (auto done = place_leases(); !done) return std::unexpected(done.error());
    return std::move(tables_);
  }

 private:
  NextHop next_hop(const base::Ip& address, const NextHop& fallback) const {
    const auto found = around_.next_hops.find(address);
    return found == around_.next_hops.end() ? fallback : found->second;
  }

  void place_interfaces() {
    std::set<base::Mac> peers;
    for (const base::Ip& address : config_.peer_directors) {
      if (const NextHop hop = next_hop(address, {}); hop.mac) peers.insert(*hop.mac);
    }
    for (const auto& [ifindex, mac] : around_.interface_mac) tables_.interfaces[ifindex] = {mac, peers};
  }

  // Every slot in use stays, as if its real server had been removed; the configured ones are overwritten later.
  void keep_what_drains() {
    for (const auto& [slot, entry] : now_.real_servers) {
      if (around_.idle.contains(slot)) continue;
      RealServerEntry draining = entry;
      draining.weight = 0;
      draining.state = entry.state == XD_FAILED ? XD_FAILED : XD_DRAINING;
      draining.next_hop = next_hop(entry.key.address, entry.next_hop);
      tables_.real_servers.emplace_hint(tables_.real_servers.end(), slot, draining);
      const auto [owner, is_new] = tables_.virtual_servers.try_emplace(entry.virtual_server);
      if (!is_new) continue;
      owner->second = now_.virtual_servers.at(entry.virtual_server);
      owner->second.cycle.clear();
      owner->second.maglev.clear();
    }
  }

  base::Result<> place_virtual_servers() {
    std::map<VirtualServerKey, Index> known;
    for (const auto& [index, entry] : now_.virtual_servers) known[entry.key] = index;
    FreeNumbers free(0, XD_MAX_VIRTUAL_SERVERS, keys(now_.virtual_servers));
    for (const VirtualServer& server : config_.virtual_servers) {
      const auto found = known.find(server.key);
      const std::optional<Index> index = found == known.end() ? free.take() : found->second;
      if (!index) {
        return base::fail(
            fmt::format("no room for the virtual server {}: all {} are in use, some by connections of removed ones; "
                        "wait until those have ended",
                        server.name, XD_MAX_VIRTUAL_SERVERS));
      }
      const bool persistent = server.persistence_timeout > base::Duration::zero();
      tables_.virtual_servers[*index] = {
          .key = server.key,
          .persistence_ticks = persistent ? to_ticks(server.persistence_timeout, around_.tick) : 0,
          .persistence_prefix = server.persistence_prefix,
          .scheduler = chosen_by(server.scheduler),
          .hash_port = server.hash_port,
          .one_packet = server.one_packet};
      tables_.services[server.key] = *index;
    }
    return {};
  }

  base::Result<> place_real_servers() {
    FreeNumbers free(1, XD_MAX_REAL_SERVERS, keys(now_.real_servers));
    std::map<std::pair<Index, RealServerKey>, Slot> known;
    for (const auto& [slot, entry] : now_.real_servers) known[{entry.virtual_server, entry.key}] = slot;
    for (const VirtualServer& server : config_.virtual_servers) {
      const Index index = tables_.services.at(server.key);
      const bool exact = server.key.mark == 0;
      const base::Ip address = only_address(server.key, config_.port_marks);
      for (const RealServer& real : server.real_servers) {
        const auto found = known.find({index, key_of(real)});
        const std::optional<uint32_t> slot = found == known.end() ? free.take() : found->second;
        if (!slot) {
          return base::fail(fmt::format(
              "no slot for the real server {} of {}: all {} are in use, some by connections of removed ones; "
              "wait until those have ended",
              key_of(real).str(), server.name, XD_MAX_REAL_SERVERS - 1));
        }
        const bool up = !around_.down.contains({server.key, key_of(real)});
        tables_.real_servers[static_cast<Slot>(*slot)] = {
            .virtual_server = index,
            .key = key_of(real),
            .weight = scheduled_weight(server.scheduler, real.weight),
            .state = state_of(real, up),
            .next_hop = next_hop(real.address, {}),
            .virtual_address = address,
            .virtual_port = exact ? server.key.port : uint16_t{0},
            .protocol = server.key.protocol,
            .persistent = server.persistence_timeout > base::Duration::zero(),
            .timeout_ticks = timeout_ticks(server, around_.tick)};
      }
    }
    return {};
  }

  // The addresses of virtual servers that have this director among their real servers.
  std::set<base::Ip> addresses_served_here() const {
    std::set<base::Ip> all;
    for (const VirtualServer& server : config_.virtual_servers) {
      const bool here = std::ranges::any_of(server.real_servers,
                                            [&](const RealServer& real) { return next_hop(real.address, {}).local; });
      if (!here) continue;
      for (const base::Ip& address : addresses_of(server.key, config_.port_marks)) all.insert(address);
    }
    return all;
  }

  base::Result<> place_leases() {
    std::vector<uint32_t> taken;
    for (const auto& [address, lease] : now_.leases) {
      taken.push_back(lease.index);
      if (!around_.released.contains(address)) tables_.leases[address] = lease;  // until its address is surely off
    }
    FreeNumbers free(0, XD_MAX_LEASES, taken);
    const std::set<base::Ip> served = addresses_served_here();
    for (const VrrpInstance& instance : config_.vrrp_instances) {
      for (const VirtualAddress& virtual_address : instance.all_addresses()) {
        const base::Ip& address = virtual_address.ip;
        const auto known = now_.leases.find(address);
        const std::optional<uint32_t> index = known == now_.leases.end() ? free.take() : known->second.index;
        if (!index) return base::fail(fmt::format("more than {} virtual addresses", XD_MAX_LEASES));
        tables_.leases[address] = {*index, index_of(place_of(instance, virtual_address)), served.contains(address)};
      }
    }
    return {};
  }

  uint32_t index_of(const std::string& interface) const {
    const auto found = around_.interface_index.find(interface);
    return found == around_.interface_index.end() ? 0 : found->second;
  }

  const Config& config_;
  const Surroundings& around_;
  const Tables& now_;
  Tables tables_;
};

}  // namespace

std::string RealServerKey::str() const {
  return address.str(port);
}

std::map<Member, Slot> slots_by_member(const Tables& tables) {
  std::map<Member, Slot> slots;
  for (const auto& [slot, entry] : tables.real_servers) {
    slots[{tables.virtual_servers.at(entry.virtual_server).key, entry.key}] = slot;
  }
  return slots;
}

std::map<Member, Slot> removed_members(const Config& config, const Tables& tables) {
  std::map<Index, std::vector<RealServerKey>> configured;
  for (const VirtualServer& server : config.virtual_servers) {
    const auto index = tables.services.find(server.key);
    if (index == tables.services.end()) continue;
    std::vector<RealServerKey>& its = configured[index->second];
    for (const RealServer& real : server.real_servers) its.push_back(key_of(real));
    std::ranges::sort(its);
  }
  std::map<Member, Slot> removed;
  for (const auto& [slot, entry] : tables.real_servers) {
    const auto its = configured.find(entry.virtual_server);
    if (its != configured.end() && std::ranges::binary_search(its->second, entry.key)) continue;
    removed[{tables.virtual_servers.at(entry.virtual_server).key, entry.key}] = slot;
  }
  return removed;
}

base::Result<Tables> desired_tables(const Config& config, const Surroundings& surroundings, const Tables& now) {
  return Builder(config, surroundings, now).build();
}

bool is_down(const RealServerEntry& entry) {
  return entry.state == XD_FAILED || (entry.state == XD_DRAINING && entry.weight > 0);  // a removed one has weight 0
}

std::set<Member> members_down(const Tables& tables) {
  std::set<Member> down;
  for (const auto& [slot, entry] : tables.real_servers) {
    if (is_down(entry)) down.insert({tables.virtual_servers.at(entry.virtual_server).key, entry.key});
  }
  return down;
}

}  // namespace model
