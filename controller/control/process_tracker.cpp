// SPDX-License-Identifier: Apache-2.0
#include "control/process_tracker.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace control {

ProcessTracker::ProcessTracker(loop::Loop& loop, Definition process, OnChange on_change)
    : Tracker(model::TrackerKind::process, process.name, std::move(on_change)),
      loop_(loop),
      process_(std::move(process)),
      settle_timer_(loop, [this] { judge(); }) {}

void ProcessTracker::look(const std::vector<Process>& running) {
  std::set<pid_t> now;
  for (const Process& process : running) {
    if (is_called(process, process_.process)) now.insert(process.pid);
  }
  std::erase_if(found_, [&](const auto& entry) { return !now.contains(entry.first); });
  for (const pid_t pid : now) {
    if (!found_.contains(pid)) watch(pid);
  }
  judge();
}

void ProcessTracker::watch(pid_t pid) {
  base::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd && errno == ESRCH) return;  // it has just ended
  Watched& watched = found_[pid];
  if (!pidfd) return;  // its end is seen at the next look
  watched.pidfd = std::move(pidfd);
  watched.end = std::make_unique<loop::Watch>(loop_, watched.pidfd.get(), loop::Watch::When::readable, [this, pid] {
    found_.erase(pid);
    judge();
  });
}

void ProcessTracker::judge() {
  enough_.see(static_cast<int>(found_.size()) >= process_.quorum, base::now(), process_.delay);
  if (!enough_.waiting()) {
    settle_timer_.stop();
  } else if (!settle_timer_.running()) {
    settle_timer_.start(process_.delay);
  }
  found(true, enough_.value(), 0,
        fmt::format("{} of {} {}{}", found_.size(), process_.quorum, process_.process,
                    enough_.waiting() ? fmt::format(", waiting for {:g} s", base::seconds(process_.delay)) : ""));
}

}  // namespace control
