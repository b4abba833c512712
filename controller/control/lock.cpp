// SPDX-License-Identifier: Apache-2.0
#include "control/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/log.hpp"
#include "control/paths.hpp"

namespace control {

base::Result<base::Fd> take_lock() {
  if (mkdir(kRunDirectory, 0700) != 0 && errno != EEXIST) {
    return base::fail_errno(std::string("cannot make ") + kRunDirectory);
  }
  base::Fd file(open(kLockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return base::fail_errno(std::string("cannot open ") + kLockFile + " (xdirector needs root)");
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    static_cast<void>(read(file.get(), pid.data(), pid.size() - 1));
    const std::string process = pid[0] == '\0' ? "" : fmt::format(" as process {}", pid.data());
    return base::fail("xdirector is already running here" + process);
  }
  // Only for whoever reads it: a full /run must not keep a director from starting.
  const std::string pid = std::to_string(getpid());
  if (ftruncate(file.get(), 0) != 0 || pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
    base::log::warning("{}", base::fail_errno(std::string("cannot write ") + kLockFile).error().message);
  }
  return file;
}

}  // namespace control
