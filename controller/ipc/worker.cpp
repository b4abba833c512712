// SPDX-License-Identifier: Apache-2.0
#include "ipc/worker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <utility>

namespace ipc {
namespace {

[[noreturn]] void parent_is_gone() {
  _exit(0);
}  // no destructors: addresses and leases stay as they are

}  // namespace

Worker::Worker(loop::Loop& loop, OnMessage on_message) {
  tie_to_parent();
  // The parent ends a worker by message; a Ctrl-C in its terminal is meant for the parent only.
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  fcntl(kWorkerFd, F_SETFD, FD_CLOEXEC);
  channel_ = std::make_unique<Channel>(
      loop, base::Fd(kWorkerFd), Channel::Handlers{.on_message = std::move(on_message), .on_closed = parent_is_gone});
  heartbeat_ = std::make_unique<loop::Timer>(loop, [this] {
    // Behind a queue it would come late and prove nothing.
    if (!channel_->congested()) send(Heartbeat{base::now()});
  });
  heartbeat_->start_every(kHeartbeatPeriod);
  send(Heartbeat{base::now()});
}

void Worker::tie_to_parent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that died before the line above shows as the end of the channel.
}

void Worker::send(const Message& message, int attached) {
  // A parent that is gone shows as the end of the channel.
  static_cast<void>(channel_->send(message, attached));
}

}  // namespace ipc
