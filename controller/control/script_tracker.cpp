// SPDX-License-Identifier: Apache-2.0
#include "control/script_tracker.hpp"

#include <fmt/format.h>

#include "control/command_user.hpp"

namespace control {

ScriptTracker::ScriptTracker(loop::Loop& loop, Definition script, OnChange on_change)
    : Tracker(model::TrackerKind::script, script.name, std::move(on_change)),
      script_(std::move(script)),
      counts_(script_),
      timer_(loop, [this] { run(); }),
      command_(loop, [this](const loop::Command::Outcome& outcome) { ended(outcome); }) {
  if (counts_.known()) found(true, counts_.up(), 0, "init_fail");
  timer_.start_every(script_.interval);
  run();
}

void ScriptTracker::change(const Definition& script) {
  counts_.change(script, script.command != script_.command);
  script_ = script;
  user_.reset();
  timer_.start_every(script_.interval);
}

// Never twice at once: one that will not end even when killed has failed again.
void ScriptTracker::run() {
  if (command_.running()) {
    if (late_) count(false, "still runs after it was killed");
    return;
  }
  if (!user_) {
    auto user = user_of(script_.command);
    if (!user) return count(false, "cannot run: " + user.error().message);
    user_ = *user;
  }
  late_ = false;
  if (auto started =
          command_.start({.arguments = script_.command.arguments, .identity = *user_, .limit = script_.timeout});
      !started) {
    not_found_out(started.error().message);
  }
}

void ScriptTracker::ended(const loop::Command::Outcome& outcome) {
  late_ = outcome.timed_out;
  count(outcome.success, outcome.output.empty() ? outcome.text : outcome.text + ": " + outcome.output);
}

void ScriptTracker::count(bool success, const std::string& result) {
  counts_.result(success);
  const int against = counts_.in_a_row();
  const std::string so_far =
      against == 0 ? "" : fmt::format(" ({} of {} in a row)", against, success ? script_.rise : script_.fall);
  found(true, counts_.up(), 0, result + so_far);
}

}  // namespace control
