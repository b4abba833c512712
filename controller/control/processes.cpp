// SPDX-License-Identifier: Apache-2.0
#include "control/processes.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "base/fd.hpp"

namespace control {
namespace {

constexpr size_t kLongestName = 15;  // the kernel cuts it there
constexpr std::string_view kDeleted = " (deleted)";

std::string content(const std::string& path) {
  const base::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> text{};
  const ssize_t size = fd ? read(fd.get(), text.data(), text.size()) : 0;
  return {text.data(), static_cast<size_t>(size > 0 ? size : 0)};
}

// Of a process with rights that we do not have only its own word is known: how it was called.
std::string program_of(const std::string& directory) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink((directory + "/exe").c_str(), target.data(), target.size());
  if (size < 0) {
    const std::string line = content(directory + "/cmdline");
    return line.substr(0, line.find('\0'));
  }
  std::string path(target.data(), static_cast<size_t>(size));
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());  // a newer one has replaced it
  return path;
}

}  // namespace

std::optional<std::string> running_name(const std::string& stat) {
  const size_t open = stat.find('('), close = stat.rfind(')');  // a name may have brackets of its own
  if (open == std::string::npos || close == std::string::npos || close < open || close + 2 >= stat.size()) {
    return std::nullopt;
  }
  const char state = stat[close + 2];
  if (state == 'Z' || state == 'X') return std::nullopt;
  return stat.substr(open + 1, close - open - 1);
}

std::vector<Process> running_processes(bool with_programs) {
  std::vector<Process> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string directory = entry.path();
    const std::string_view number = std::string_view(directory).substr(std::string_view("/proc/").size());
    pid_t pid = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), pid).ptr != number.data() + number.size()) {
      continue;
    }
    const std::optional<std::string> name = running_name(content(directory + "/stat"));
    if (name) all.push_back({pid, *name, with_programs ? program_of(directory) : ""});
  }
  return all;
}

bool is_called(const Process& process, const std::string& wanted) {
  if (wanted.find('/') != std::string::npos) return process.program == wanted;
  return process.name == wanted.substr(0, kLongestName);
}

}  // namespace control
