// SPDX-License-Identifier: Apache-2.0
#include "health/targets.hpp"

#include <utility>

namespace health {
namespace {

// Apart from what is no matter of checking: the last known health, and the name for the log.
bool same_checks(ipc::HealthTarget a, const ipc::HealthTarget& b) {
  a.up = b.up;
  a.virtual_server = b.virtual_server;
  return a == b;
}

}  // namespace

Targets::Targets(loop::Loop& loop, StartProbe start_probe, Target::OnReport on_report)
    : loop_(loop), start_probe_(std::move(start_probe)), on_report_(std::move(on_report)) {}

void Targets::configure(const std::vector<ipc::HealthTarget>& wanted) {
  std::map<uint64_t, std::unique_ptr<Target>> kept;
  std::vector<ipc::HealthTarget> fresh;
  for (const ipc::HealthTarget& want : wanted) {
    auto known = targets_.extract(want.id);
    if (known.empty()) {
      fresh.push_back(want);
    } else if (same_checks(known.mapped()->config(), want)) {
      known.mapped()->rename(want.virtual_server);
      kept.insert(std::move(known));
    } else {
      fresh.push_back(want);
      fresh.back().up = known.mapped()->up();
    }
  }
  targets_ = std::move(kept);
  for (size_t i = 0; i < fresh.size(); ++i) {
    const base::Duration first = first_try(i, fresh.size(), fresh[i].delay_loop);
    targets_[fresh[i].id] = std::make_unique<Target>(loop_, fresh[i], first, start_probe_, on_report_);
  }
}

}  // namespace health
