// SPDX-License-Identifier: Apache-2.0
#include "control/assignments.hpp"

#include <algorithm>
#include <iterator>

namespace control {

uint64_t TargetIds::id_of(const model::Member& member) {
  const auto [place, is_new] = ids_.try_emplace(member, ids_.size() + 1);
  if (is_new) members_[place->second] = member;
  return place->second;
}

std::optional<model::Member> TargetIds::member_of(uint64_t id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? std::nullopt : std::optional(found->second);
}

ipc::ConfigureVrrp make_vrrp_assignment(const model::Config& config, const model::Tables& tables) {
  ipc::ConfigureVrrp message;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    ipc::VrrpAssignment assignment{.instance = instance, .lease = {}, .served_here = {}};
    const std::vector<model::VirtualAddress> addresses = instance.all_addresses();
    for (const model::VirtualAddress& address : addresses) {
      const auto lease = tables.leases.find(address.ip);
      if (lease == tables.leases.end()) continue;
      assignment.lease.push_back(lease->second.index);
      if (lease->second.served_here) assignment.served_here.push_back(address.ip);
    }
    if (assignment.lease.size() == addresses.size()) message.instances.push_back(assignment);
  }
  for (const model::SyncGroup& group : config.sync_groups) message.groups.push_back({group.name, group.instances});
  return message;
}

std::vector<ipc::VrrpAssignment> masters_until(base::Time back, const std::vector<ipc::VrrpAssignment>& instances,
                                               const std::function<base::Time(uint32_t)>& lease_until) {
  std::vector<ipc::VrrpAssignment> all;
  std::ranges::copy_if(instances, std::back_inserter(all), [&](const ipc::VrrpAssignment& assignment) {
    return std::ranges::any_of(assignment.lease, [&](uint32_t index) {
      const base::Time until = lease_until(index);
      return until != base::Time{} && until < back;
    });
  });
  return all;
}

ipc::ConfigureHealth make_health_assignment(const model::Config& config, const std::set<model::Member>& down,
                                            TargetIds& ids) {
  ipc::ConfigureHealth message;
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) {
      if (real.checks.empty()) continue;
      const model::Member member{server.key, model::key_of(real)};
      message.targets.push_back({.id = ids.id_of(member),
                                 .virtual_server = server.name,
                                 .address = real.address,
                                 .port = real.port,
                                 .delay_loop = server.delay_loop,
                                 .checks = real.checks,
                                 .up = !down.contains(member)});
    }
  }
  return message;
}

}  // namespace control
