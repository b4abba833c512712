// SPDX-License-Identifier: Apache-2.0
// Child: one worker process, started again when it ends or hangs.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "control/backoff.hpp"
#include "control/liveness.hpp"
#include "ipc/channel.hpp"
#include "loop/loop.hpp"

namespace control {

class Child {
 public:
  static constexpr base::Duration kJudgePeriod = std::chrono::milliseconds(150);

  struct Options {
    std::string role;  // the argument of `xdirector worker`
    base::log::Level log_level = base::log::Level::info;
    base::Duration patience{};                                    // without a heartbeat for this long it is ended
    std::function<void()> on_started = {};                        // send it its configuration
    std::function<void(ipc::Message)> on_message = {};            // but heartbeats
    std::function<void(base::Duration restart_in)> on_lost = {};  // ended without being asked to
    std::function<void()> on_stopped = {};                        // ended after stop()
  };

  Child(loop::Loop& loop, Options options);
  ~Child();  // kills a process that still runs

  void start();
  void send(const ipc::Message& message, int attached = -1);  // nothing happens while it does not run
  void stop();                                                // asks for an orderly end
  void kill();                                                // ends it now; stop() first if it is not to come back

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int restarts() const { return restarts_; }

 private:
  base::Result<> spawn();
  void received(ipc::Message message);
  void judge();
  void ended();

  loop::Loop& loop_;
  Options options_;
  pid_t pid_ = 0;
  int restarts_ = 0;
  bool stopping_ = false;
  base::Time started_{};
  Backoff backoff_;
  base::Fd pidfd_;
  std::optional<loop::Watch> exit_watch_;
  std::unique_ptr<ipc::Channel> channel_;
  std::optional<Liveness> liveness_;
  loop::Timer judge_timer_, restart_timer_;
};

}  // namespace control
