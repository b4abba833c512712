// SPDX-License-Identifier: Apache-2.0
#include "control/health_state.hpp"

namespace control {

bool HealthState::configure(const model::Config& config) {
  checked_.clear();
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) {
      if (!real.checks.empty()) checked_.insert({server.key, model::key_of(real)});
    }
  }
  std::erase_if(reports_, [&](const auto& entry) { return !checked_.contains(entry.first); });
  return std::erase_if(down_, [&](const auto& member) { return !checked_.contains(member); }) > 0;
}

bool HealthState::report(const ipc::HealthReport& report) {
  const std::optional<model::Member> member = ids_.member_of(report.id);
  if (!member || !checked_.contains(*member)) return false;  // it was on its way when a reload removed its subject
  reports_[*member] = report;
  if (report.unknown) return false;
  return report.up ? down_.erase(*member) > 0 : down_.insert(*member).second;
}

std::optional<model::Member> HealthState::failed(const ipc::HealthReport& report) const {
  return report.up || report.unknown ? std::nullopt : ids_.member_of(report.id);
}

}  // namespace control
