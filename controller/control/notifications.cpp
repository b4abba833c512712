// SPDX-License-Identifier: Apache-2.0
#include "control/notifications.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "control/command_user.hpp"

namespace control {
namespace {

constexpr base::Duration kLongestRun = std::chrono::seconds(60);
constexpr size_t kLongestQueue = 16;

std::string describe(const Transition& transition, const model::Command& command) {
  return fmt::format("notify {} {}: {}", transition.name, name(transition.state), command.arguments.front());
}

}  // namespace

void Notifications::configure(const model::Config& config) {
  fifo_.configure(config.notify_fifo);
  tell(transitions_.configure(config));  // with the commands that those had who are gone
  notify_.clear();
  for (const model::VrrpInstance& one : config.vrrp_instances) notify_[{Subject::instance, one.name}] = one.notify;
  for (const model::SyncGroup& one : config.sync_groups) notify_[{Subject::group, one.name}] = one.notify;
}

void Notifications::tell(const std::vector<Transition>& news) {
  for (const Transition& transition : news) {
    fifo_.write(line(transition));
    const auto notify = notify_.find({transition.subject, transition.name});
    if (notify == notify_.end()) continue;
    for (const model::Command& command : commands(notify->second, transition)) add(transition, command);
  }
}

void Notifications::add(const Transition& transition, const model::Command& command) {
  const Key key{transition.subject, transition.name};
  Queue& queue = queues_[key];
  if (queue.jobs.size() >= kLongestQueue) {
    const auto oldest = queue.jobs.begin() + 1;
    base::log::error("{}: not run, for the ones before take too long", describe(oldest->transition, oldest->command));
    queue.jobs.erase(oldest);
  }
  queue.jobs.push_back({transition, command});
  if (queue.jobs.size() == 1) run_next(key);
}

// What cannot be started is passed over.
void Notifications::run_next(const Key& key) {
  Queue& queue = queues_.at(key);
  queue.running = std::make_unique<loop::Command>(
      loop_, [this, key](const loop::Command::Outcome& outcome) { ended(key, outcome); });
  for (; !queue.jobs.empty(); queue.jobs.pop_front()) {
    const Job& job = queue.jobs.front();
    const auto user = user_of(job.command);
    const auto started = user ? queue.running->start({.arguments = job.command.arguments,
                                                      .identity = *user,
                                                      .limit = kLongestRun,
                                                      .output = loop::Command::Output::log})
                              : std::unexpected(user.error());
    if (started) return;
    base::log::error("{}: {}", describe(job.transition, job.command), started.error().message);
  }
}

void Notifications::ended(const Key& key, const loop::Command::Outcome& outcome) {
  Queue& queue = queues_.at(key);
  const Job& job = queue.jobs.front();
  const std::string what = describe(job.transition, job.command);
  if (outcome.success) {
    base::log::debug("{}: {}", what, outcome.text);
  } else {
    base::log::warning("{}: {}", what, outcome.text);
  }
  queue.jobs.pop_front();
  run_next(key);  // one that took too long is killed by that
  end_if_idle();
}

void Notifications::stop(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  tell(transitions_.stop());
  end_timer_.start(kLongestEnd);
  end_if_idle();
}

void Notifications::end_if_idle() {
  const bool idle = std::ranges::all_of(queues_, [](const auto& entry) { return entry.second.jobs.empty(); });
  if (!idle || !on_end_) return;
  end_timer_.stop();
  std::exchange(on_end_, nullptr)();
}

void Notifications::give_up() {
  for (const auto& [key, queue] : queues_) {
    for (const Job& job : queue.jobs) base::log::error("{}: not ended in time", describe(job.transition, job.command));
  }
  std::exchange(on_end_, nullptr)();
}

}  // namespace control
