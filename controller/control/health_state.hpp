// SPDX-License-Identifier: Apache-2.0
// The real servers' health as the control plane knows it: what the worker said last, whatever became of the worker.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "control/assignments.hpp"

namespace control {

class HealthState {
 public:
  // What the tables of an earlier run tell.
  void start_from(std::set<model::Member> down) { down_ = std::move(down); }

  // Forgets those that are not checked any more: they count as up. True: one of them was down.
  bool configure(const model::Config& config);

  // True: one went up or down.
  bool report(const ipc::HealthReport& report);

  // The one that a report says has failed.
  std::optional<model::Member> failed(const ipc::HealthReport& report) const;

  // What the worker is to check from now on, and how it stands.
  ipc::ConfigureHealth assignment(const model::Config& config) { return make_health_assignment(config, down_, ids_); }

  const std::set<model::Member>& down() const { return down_; }
  const std::map<model::Member, ipc::HealthReport>& reports() const { return reports_; }  // the last of each

 private:
  TargetIds ids_;
  std::set<model::Member> checked_, down_;
  std::map<model::Member, ipc::HealthReport> reports_;
};

}  // namespace control
