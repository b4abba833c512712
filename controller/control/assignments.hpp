// SPDX-License-Identifier: Apache-2.0
// What each worker is told, from the configuration. Pure but for the numbers it gives out.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "ipc/messages.hpp"
#include "model/tables.hpp"

namespace control {

// The number by which a real server of a virtual server is known to the health worker: the same for as long as we live.
class TargetIds {
 public:
  uint64_t id_of(const model::Member& member);
  std::optional<model::Member> member_of(uint64_t id) const;

 private:
  std::map<model::Member, uint64_t> ids_;
  std::map<uint64_t, model::Member> members_;
};

// Lease indices are those of `tables`. An instance whose addresses have no lease there is left out.
ipc::ConfigureVrrp make_vrrp_assignment(const model::Config& config, const model::Tables& tables);

// Those that are MASTER by their leases, and whose lease ends before `back`.
std::vector<ipc::VrrpAssignment> masters_until(base::Time back, const std::vector<ipc::VrrpAssignment>& instances,
                                               const std::function<base::Time(uint32_t)>& lease_until);

ipc::ConfigureHealth make_health_assignment(const model::Config& config, const std::set<model::Member>& down,
                                            TargetIds& ids);

}  // namespace control
