// SPDX-License-Identifier: Apache-2.0
// Targets: every real server under checks, kept equal to the last ConfigureHealth.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "health/target.hpp"

namespace health {

class Targets {
 public:
  Targets(loop::Loop& loop, StartProbe start_probe, Target::OnReport on_report);

  // All targets from now on. One whose checks are the same notices nothing; one whose checks are others keeps its last
  // health until they have spoken; the first tries of what is new are spread.
  void configure(const std::vector<ipc::HealthTarget>& wanted);

 private:
  loop::Loop& loop_;
  StartProbe start_probe_;
  Target::OnReport on_report_;
  std::map<uint64_t, std::unique_ptr<Target>> targets_;  // by id
};

}  // namespace health
