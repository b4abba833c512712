// SPDX-License-Identifier: Apache-2.0
// What every worker process does alike: its channel on descriptor 3, a heartbeat from its own loop, an end with its
// parent. The parent's death is a crash, not a handover: the worker exits at once and touches nothing.
#pragma once

#include <functional>
#include <memory>

#include "ipc/channel.hpp"

namespace ipc {

inline constexpr base::Duration kHeartbeatPeriod = std::chrono::milliseconds(250);

class Worker {
 public:
  using OnMessage = std::function<void(Message, base::Fd)>;

  // Ties this process to its parent (PDEATHSIG) and starts the heartbeat. Call tie_to_parent() again after a change of
  // user or capabilities, which clears PDEATHSIG.
  Worker(loop::Loop& loop, OnMessage on_message);
  static void tie_to_parent();

  void send(const Message& message, int attached = -1);

 private:
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<loop::Timer> heartbeat_;
};

}  // namespace ipc
