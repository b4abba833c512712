// SPDX-License-Identifier: Apache-2.0
// All trackers that an instance uses, but interfaces: from the configuration, to states for the vrrp worker.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/file_tracker.hpp"
#include "control/process_tracker.hpp"
#include "control/script_tracker.hpp"
#include "loop/loop.hpp"
#include "model/config.hpp"

namespace control {

class Trackers {
 public:
  // `on_change`: once for all changes of a turn of the loop.
  Trackers(loop::Loop& loop, std::function<void()> on_change);

  // Those that are unchanged notice nothing; what is known of one that is changed stands until its next result.
  void configure(const model::Config& config);
  void stop();  // no command is started any more

  ipc::TrackerStates states() const;
  std::vector<TrackerStatus> status() const;

 private:
  template <typename Kind>
  using Named = std::map<std::string, std::unique_ptr<Kind>>;
  template <typename Kind>
  void take(Named<Kind>& trackers, model::TrackerKind kind, const model::Config& config,
            const std::vector<typename Kind::Definition>& definitions);
  void look_at_processes();
  void changed();

  loop::Loop& loop_;
  std::function<void()> on_change_;
  Named<ScriptTracker> scripts_;
  Named<FileTracker> files_;
  Named<ProcessTracker> processes_;
  loop::Timer change_timer_, process_timer_;
};

}  // namespace control
