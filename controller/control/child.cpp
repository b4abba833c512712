// SPDX-License-Identifier: Apache-2.0
#include "control/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "ipc/worker.hpp"

namespace control {
namespace {

std::string describe_end(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

// The same binary in another role, with its end of the channel as descriptor 3 and nothing else of ours.
base::Result<pid_t> spawn_worker(const std::string& role, base::log::Level level, const base::Fd& channel) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, channel.get(), ipc::kWorkerFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGPIPE);  // ignored by us, ignored by it: a closed pipe is an error of the call
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = "xdirector", worker = "worker", kind = role, option = "--log-level", value(level_name(level));
  const std::array<char*, 6> argv{name.data(), worker.data(), kind.data(), option.data(), value.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::fail_errno("cannot start the " + role + " worker", error);
  return pid;
}

}  // namespace

Child::Child(loop::Loop& loop, Options options)
    : loop_(loop), options_(std::move(options)), judge_timer_(loop, [this] { judge(); }), restart_timer_(loop, [this] {
        ++restarts_;
        start();
      }) {}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Child::start() {
  started_ = base::now();
  if (auto done = spawn(); !done) {
    const base::Duration delay = std::max<base::Duration>(backoff_.after({}), std::chrono::seconds(1));
    base::log::error("{}; trying again in {:.0f} s", done.error().message, base::seconds(delay));
    options_.on_lost(delay);
    restart_timer_.start(delay);
    return;
  }
  liveness_.emplace(options_.patience, kJudgePeriod, started_);
  judge_timer_.start_every(kJudgePeriod);
  options_.on_started();
}

base::Result<> Child::spawn() {
  auto ends = ipc::Channel::make_pair();
  if (!ends) return std::unexpected(ends.error());
  base::Result<pid_t> pid = spawn_worker(options_.role, options_.log_level, ends->second);
  if (!pid) return std::unexpected(pid.error());
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  if (!pidfd_) {  // nobody would see it end
    const auto why = base::fail_errno("cannot watch the " + options_.role + " worker");
    ::kill(*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
    return why;
  }
  pid_ = *pid;
  exit_watch_.emplace(loop_, pidfd_.get(), loop::Watch::When::readable, [this] { ended(); });
  channel_ = std::make_unique<ipc::Channel>(
      loop_, std::move(ends->first),
      ipc::Channel::Handlers{.on_message = [this](ipc::Message message, base::Fd) { received(std::move(message)); },
                             // Its end shows by its pidfd. One that closes its channel or talks nonsense must end.
                             .on_closed = [this] { kill(); }});
  return {};
}

void Child::send(const ipc::Message& message, int attached) {
  if (!channel_) return;
  if (auto sent = channel_->send(message, attached); !sent) {
    base::log::error("{} worker: {}", options_.role, sent.error().message);
    kill();
  }
}

void Child::received(ipc::Message message) {
  if (const auto* heartbeat = std::get_if<ipc::Heartbeat>(&message)) {
    liveness_->beat(heartbeat->at);
  } else {
    options_.on_message(std::move(message));
  }
}

void Child::judge() {
  if (!liveness_->hangs(base::now())) return;
  base::log::error("{} worker (pid {}) hangs: no heartbeat for {:.1f} s; ending it", options_.role, pid_,
                   base::seconds(options_.patience));
  judge_timer_.stop();
  kill();
}

void Child::stop() {
  stopping_ = true;
  judge_timer_.stop();  // how long it may take is for whoever stops it to say
  restart_timer_.stop();
  if (running()) {
    send(ipc::Stop{});
  } else {
    options_.on_stopped();
  }
}

void Child::kill() {
  if (running()) ::kill(pid_, SIGKILL);
}

void Child::ended() {
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return;
  const pid_t pid = std::exchange(pid_, 0);
  judge_timer_.stop();
  exit_watch_.reset();
  pidfd_.reset();
  channel_.reset();
  if (stopping_) {
    options_.on_stopped();
    return;
  }
  const base::Duration delay = backoff_.after(base::now() - started_);
  base::log::error("{} worker (pid {}) ended: {}; starting it again {}", options_.role, pid, describe_end(status),
                   delay == base::Duration::zero() ? "at once" : fmt::format("in {:.0f} s", base::seconds(delay)));
  options_.on_lost(delay);
  restart_timer_.start(delay);
}

}  // namespace control
