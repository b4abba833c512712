// SPDX-License-Identifier: Apache-2.0
// track_script: a command that is run again and again; so many results in a row make it up or down.
#pragma once

#include <optional>

#include "control/rise_fall.hpp"
#include "control/tracker.hpp"
#include "loop/command.hpp"

namespace control {

class ScriptTracker : public Tracker {
 public:
  using Definition = model::TrackScript;
  ScriptTracker(loop::Loop& loop, Definition script, OnChange on_change);

  const Definition& definition() const { return script_; }
  void change(const Definition& script);

 private:
  void run();
  void ended(const loop::Command::Outcome& outcome);
  void count(bool success, const std::string& result);

  Definition script_;
  std::optional<loop::Identity> user_;
  RiseFall counts_;
  bool late_ = false;  // the run before was over its time
  loop::Timer timer_;
  loop::Command command_;
};

}  // namespace control
