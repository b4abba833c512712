// SPDX-License-Identifier: Apache-2.0
#include "loop/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "loop/program_path.hpp"

namespace loop {
namespace {

constexpr base::Duration kGrace = std::chrono::seconds(1);  // between SIGTERM and SIGKILL
constexpr size_t kOutputKept = 512;
constexpr int kExitCannotRun = 127;  // as a shell
constexpr int kMostMillisecondsToDie = 100;

struct Pipe {
  base::Fd read, write;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno("cannot make a pipe");
  Pipe pipe{base::Fd(ends[0]), base::Fd(ends[1])};
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

std::string describe_exit(const siginfo_t& how) {
  if (how.si_code == CLD_EXITED) return fmt::format("exit code {}", how.si_status);
  return fmt::format("killed by signal {} ({})", how.si_status, strsignal(how.si_status));
}

// What is readable of the last line that has something to read.
std::string last_line(std::string text) {
  const auto unprintable = [](char c) { return c != '\n' && (static_cast<unsigned char>(c) < ' ' || c == '\x7f'); };
  std::ranges::replace_if(text, unprintable, ' ');
  const size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return "";
  text.resize(end + 1);
  return text.substr(text.find_last_of('\n') + 1);
}

// --- In the new process, before it becomes the program. Our process has one thread, so all calls are allowed. ---

base::Result<> take_identity(const Identity& identity) {
  if (geteuid() != 0 && identity.uid == geteuid() && identity.gid == getegid()) return {};
  if (setgroups(identity.groups.size(), identity.groups.data()) != 0 ||
      setresgid(identity.gid, identity.gid, identity.gid) != 0 ||
      setresuid(identity.uid, identity.uid, identity.uid) != 0) {
    return base::fail_errno("cannot become user " + identity.name);
  }
  return {};
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

base::Result<> leave_ours(const Command::What& what, int output) {
  setsid();
  const sched_param ordinary{};
  sched_setscheduler(0, SCHED_OTHER, &ordinary);
  if (base::Fd score{open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)}) {
    static_cast<void>(!write(score.get(), "0", 1));  // only we are worth sparing
  }
  const base::Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || dup2(null.get(), STDIN_FILENO) < 0) return base::fail_errno("cannot open /dev/null");
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (chdir("/") != 0) return base::fail_errno("cannot go to /");
  if (auto done = take_identity(what.identity); !done) return done;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::fail_errno("cannot rule out new privileges");
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would end it
  return {};
}

// Returns only if it could not.
base::Result<> become(const Command::What& what, int output) {
  if (auto done = leave_ours(what, output); !done) return done;
  if (auto safe = check_program_path(what.arguments.front(), what.identity.uid); !safe) return safe;
  std::vector<std::string> environment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                       "HOME=" + what.identity.home, "USER=" + what.identity.name,
                                       "LOGNAME=" + what.identity.name};
  const auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> all;
    all.reserve(texts.size() + 1);
    for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
    all.push_back(nullptr);
    return all;
  };
  const std::vector<char*> argv = pointers(what.arguments), envp = pointers(environment);
  reset_signals();
  // By its path: by a descriptor a script would be told that its name is /dev/fd/9.
  execve(argv.front(), argv.data(), envp.data());
  const int error = errno;
  const char* hint = error == EACCES    ? " (is it executable, chmod +x, for this user?)"
                     : error == ENOEXEC ? " (a script's first line is #!/bin/sh or the like)"
                                        : "";
  return base::fail(base::fail_errno(what.arguments.front(), error).error().message + hint);
}

[[noreturn]] void child(const Command::What& what, int output, int failure) {
  const base::Result<> done = become(what, output);
  static_cast<void>(!write(failure, done.error().message.data(), done.error().message.size()));
  _exit(kExitCannotRun);
}

// A signal that came before exec would be handled as one of ours, with our descriptors.
pid_t fork_without_signals() {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid != 0) sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

}  // namespace

base::Result<Identity> identity_of(const std::string& user, const std::string& group) {
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return base::fail("there is no user " + user);
  Identity identity{.uid = entry->pw_uid, .gid = entry->pw_gid, .groups = {}, .name = user, .home = entry->pw_dir};
  if (!group.empty()) {
    const struct group* found = getgrnam(group.c_str());
    if (found == nullptr) return base::fail("there is no group " + group);
    identity.gid = found->gr_gid;
  }
  int count = 64;
  identity.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(user.c_str(), identity.gid, identity.groups.data(), &count) < 0) {
    identity.groups.resize(static_cast<size_t>(count));
    getgrouplist(user.c_str(), identity.gid, identity.groups.data(), &count);
  }
  identity.groups.resize(static_cast<size_t>(count));
  return identity;
}

Command::Command(Loop& loop, std::function<void(const Outcome&)> on_outcome)
    : loop_(loop), on_outcome_(std::move(on_outcome)), limit_timer_(loop, [this] { time_is_over(); }) {}

Command::~Command() {
  if (!running()) return;
  signal_group(SIGKILL);
  pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  poll(&ended, 1, kMostMillisecondsToDie);
  waitpid(pid_, nullptr, WNOHANG);
}

base::Result<> Command::start(What what) {
  what_ = std::move(what);
  auto failure = make_pipe();
  if (!failure) return std::unexpected(failure.error());
  const bool kept = what_.output == Output::last_line;
  base::Result<Pipe> output = kept ? make_pipe() : Pipe{};
  if (!output) return std::unexpected(output.error());
  const pid_t pid = fork_without_signals();
  if (pid < 0) return base::fail_errno("cannot start " + what_.arguments.front());
  if (pid == 0) child(what_, kept ? output->write.get() : STDERR_FILENO, failure->write.get());
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd_) {  // nobody would see it end
    const auto why = base::fail_errno("cannot watch " + what_.arguments.front());
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return why;
  }
  pid_ = pid;
  told_ = false;
  output_.clear();
  failure_ = std::move(failure->read);
  exit_watch_.emplace(loop_, pidfd_.get(), Watch::When::readable, [this] { ended(); });
  if (kept) {
    output_fd_ = std::move(output->read);
    output_watch_.emplace(loop_, output_fd_.get(), Watch::When::readable, [this] { read_output(); });
  }
  limit_timer_.start(what_.limit);
  return {};
}

void Command::signal_group(int number) const {
  ::kill(-pid_, number);
  ::kill(pid_, number);  // it may not have made its group yet
}

void Command::read_output() {
  std::array<char, 16384> bytes{};
  const ssize_t size = read(output_fd_.get(), bytes.data(), bytes.size());
  if (size == 0) output_watch_.reset();  // it has closed both
  if (size <= 0) return;
  output_.append(bytes.data(), static_cast<size_t>(size));
  if (output_.size() > kOutputKept) output_.erase(0, output_.size() - kOutputKept);
}

std::string Command::failure_to_run() {
  std::array<char, 1024> text{};
  const ssize_t size = read(failure_.get(), text.data(), text.size());
  return size > 0 ? "cannot run: " + std::string(text.data(), static_cast<size_t>(size)) : "";
}

void Command::time_is_over() {
  if (std::exchange(told_, true)) {
    signal_group(SIGKILL);
    return;
  }
  signal_group(SIGTERM);
  limit_timer_.start(kGrace);
  tell({.success = false,
        .timed_out = true,
        .text = fmt::format("took longer than {:g} s", base::seconds(what_.limit)),
        .output = last_line(output_)});
}

void Command::ended() {
  siginfo_t how{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOHANG | WNOWAIT) != 0 || how.si_pid != pid_) return;
  if (told_) signal_group(SIGKILL);  // what it has left behind. Its number is its own until it is waited for.
  waitpid(pid_, nullptr, 0);
  if (output_watch_) read_output();
  const std::string failed = failure_to_run();
  const Outcome outcome{.success = how.si_code == CLD_EXITED && how.si_status == 0,
                        .timed_out = false,
                        .text = failed.empty() ? describe_exit(how) : failed,
                        .output = last_line(output_)};
  forget();
  if (!std::exchange(told_, true)) tell(outcome);
}

void Command::tell(const Outcome& outcome) {
  const auto callback = on_outcome_;  // it may destroy us
  callback(outcome);
}

void Command::forget() {
  pid_ = 0;
  limit_timer_.stop();
  exit_watch_.reset();
  output_watch_.reset();
  pidfd_.reset();
  output_fd_.reset();
  failure_.reset();
}

}  // namespace loop
