// SPDX-License-Identifier: Apache-2.0
// The processes that run on this host, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace control {

struct Process {
  pid_t pid = 0;
  std::string name;     // as in /proc/PID/comm: 15 characters of it at most
  std::string program;  // its path; empty: not asked for

  friend bool operator==(const Process&, const Process&) = default;
};

// One that has ended and was not yet waited for is not among them.
std::vector<Process> running_processes(bool with_programs);

// From the text of /proc/PID/stat; nullopt: it has ended. Pure.
std::optional<std::string> running_name(const std::string& stat);

// Is it the one meant by a name, or where that has a slash by a program's path? Pure.
bool is_called(const Process& process, const std::string& wanted);

}  // namespace control
