// SPDX-License-Identifier: Apache-2.0
// track_process: up while enough processes of a name run. New ones are seen when somebody looks; an end is seen at
// once.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "control/processes.hpp"
#include "control/settled.hpp"
#include "control/tracker.hpp"
#include "loop/loop.hpp"

namespace control {

class ProcessTracker : public Tracker {
 public:
  using Definition = model::TrackProcess;
  ProcessTracker(loop::Loop& loop, Definition process, OnChange on_change);

  const Definition& definition() const { return process_; }
  void change(const Definition& process) { process_ = process; }

  bool wants_programs() const { return process_.process.find('/') != std::string::npos; }
  void look(const std::vector<Process>& running);

 private:
  struct Watched {
    base::Fd pidfd;
    std::unique_ptr<loop::Watch> end;
  };

  void watch(pid_t pid);
  void judge();

  loop::Loop& loop_;
  Definition process_;
  Settled enough_;
  std::map<pid_t, Watched> found_;
  loop::Timer settle_timer_;
};

}  // namespace control
