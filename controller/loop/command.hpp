// SPDX-License-Identifier: Apache-2.0
// Command: a program run for its exit code, without a shell, as some user, for a limited time. The loop never waits for
// it. It sees nothing of ours: own process group, clean environment, no descriptors, no means to gain rights.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "loop/loop.hpp"

namespace loop {

// Whose rights a command gets.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // further ones
  std::string name, home;

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Of `user` in `group` (empty: the user's own). Asks the system's user database, which may take its time.
base::Result<Identity> identity_of(const std::string& user, const std::string& group);

class Command {
 public:
  enum class Output {
    log,       // goes where our own log goes
    last_line  // of both its outputs: comes with the result
  };
  struct What {
    std::vector<std::string> arguments;  // the first is the program's absolute path
    Identity identity;
    base::Duration limit{};
    Output output = Output::last_line;
  };
  struct Outcome {
    bool success = false;    // exit code 0
    bool timed_out = false;  // it is being ended
    std::string text;        // "exit code 1", "killed by signal 9 (Killed)", "took longer than 3 s", "cannot run: ..."
    std::string output;      // its last line, printable
  };

  // `on_outcome`: once for each start(), when it has ended or its time is over, whichever comes first. It may destroy
  // the object, and start it anew if it is not running().
  Command(Loop& loop, std::function<void(const Outcome&)> on_outcome);
  ~Command();  // kills it, with its process group

  // Not while it is running(). An error is one of our own (no memory, no descriptors): it says nothing of the command.
  // A program that cannot be run, or must not be (loop/program_path.hpp), is an outcome.
  base::Result<> start(What what);

  // A process that was told to end may still be there after its outcome; one in a hanging disk access longer.
  bool running() const { return pid_ > 0; }

 private:
  void read_output();
  std::string failure_to_run();
  void time_is_over();
  void ended();
  void tell(const Outcome& outcome);
  void signal_group(int signal) const;
  void forget();

  Loop& loop_;
  std::function<void(const Outcome&)> on_outcome_;
  What what_;
  pid_t pid_ = 0;
  bool told_ = false;  // the outcome of this run
  base::Fd pidfd_, failure_, output_fd_;
  std::string output_;
  std::optional<Watch> exit_watch_, output_watch_;
  Timer limit_timer_;
};

}  // namespace loop
