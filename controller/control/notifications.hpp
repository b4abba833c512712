// SPDX-License-Identifier: Apache-2.0
// Tells scripts and a fifo of each change of state. What is run for one instance, or for one group, runs one after the
// other, in order; nothing here waits for it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/notify_fifo.hpp"
#include "control/transitions.hpp"
#include "loop/command.hpp"

namespace control {

class Notifications {
 public:
  static constexpr base::Duration kLongestEnd = std::chrono::seconds(5);  // of stop()

  explicit Notifications(loop::Loop& loop) : loop_(loop), end_timer_(loop, [this] { give_up(); }) {}

  void configure(const model::Config& config);
  void report(const ipc::VrrpReport& report) { tell(transitions_.report(report)); }

  // Tells STOP. Calls back when all that was to be run has ended, or when that takes too long.
  void stop(std::function<void()> on_end);

 private:
  using Key = std::pair<Subject, std::string>;
  struct Job {
    Transition transition;
    model::Command command;
  };
  struct Queue {
    std::deque<Job> jobs;  // the first is running
    std::unique_ptr<loop::Command> running;
  };

  void tell(const std::vector<Transition>& news);
  void add(const Transition& transition, const model::Command& command);
  void run_next(const Key& key);
  void ended(const Key& key, const loop::Command::Outcome& outcome);
  void end_if_idle();
  void give_up();

  loop::Loop& loop_;
  Transitions transitions_;
  NotifyFifo fifo_;
  std::map<Key, model::Notify> notify_;
  std::map<Key, Queue> queues_;
  std::function<void()> on_end_;
  loop::Timer end_timer_;
};

}  // namespace control
