// SPDX-License-Identifier: Apache-2.0
#include "control/trackers.hpp"

#include <algorithm>
#include <set>

namespace control {
namespace {

constexpr base::Duration kLookAtProcesses = std::chrono::seconds(1);

std::set<std::string> used(const model::Config& config, model::TrackerKind kind) {
  std::set<std::string> names;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    for (const model::Tracked& tracked : instance.tracked) {
      if (tracked.kind == kind) names.insert(tracked.name);
    }
  }
  return names;
}

}  // namespace

Trackers::Trackers(loop::Loop& loop, std::function<void()> on_change)
    : loop_(loop),
      on_change_(std::move(on_change)),
      change_timer_(loop, [this] { on_change_(); }),
      process_timer_(loop, [this] { look_at_processes(); }) {}

void Trackers::changed() {
  if (!change_timer_.running()) change_timer_.start({});
}

template <typename Kind>
void Trackers::take(Named<Kind>& trackers, model::TrackerKind kind, const model::Config& config,
                    const std::vector<typename Kind::Definition>& definitions) {
  const std::set<std::string> wanted = used(config, kind);
  if (std::erase_if(trackers, [&](const auto& entry) { return !wanted.contains(entry.first); }) > 0) changed();
  for (const typename Kind::Definition& definition : definitions) {
    if (!wanted.contains(definition.name)) continue;
    std::unique_ptr<Kind>& tracker = trackers[definition.name];
    if (!tracker) {
      tracker = std::make_unique<Kind>(loop_, definition, [this] { changed(); });
    } else if (tracker->definition() != definition) {
      tracker->change(definition);
    }
  }
}

void Trackers::configure(const model::Config& config) {
  take(scripts_, model::TrackerKind::script, config, config.track_scripts);
  take(files_, model::TrackerKind::file, config, config.track_files);
  take(processes_, model::TrackerKind::process, config, config.track_processes);
  process_timer_.stop();
  if (processes_.empty()) return;
  process_timer_.start_every(kLookAtProcesses);
  look_at_processes();
}

void Trackers::stop() {
  scripts_.clear();
  process_timer_.stop();
}

void Trackers::look_at_processes() {
  const bool with_programs =
      std::ranges::any_of(processes_, [](const auto& entry) { return entry.second->wants_programs(); });
  const std::vector<Process> running = running_processes(with_programs);
  for (const auto& [name, tracker] : processes_) tracker->look(running);
}

std::vector<TrackerStatus> Trackers::status() const {
  std::vector<TrackerStatus> all;
  const auto add = [&](const auto& trackers) {
    for (const auto& [name, tracker] : trackers) all.push_back(tracker->status());
  };
  add(scripts_);
  add(files_);
  add(processes_);
  return all;
}

ipc::TrackerStates Trackers::states() const {
  ipc::TrackerStates message;
  for (const TrackerStatus& tracker : status()) message.trackers.push_back(tracker.state);
  return message;
}

}  // namespace control
