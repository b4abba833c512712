// SPDX-License-Identifier: Apache-2.0
#include "control/notify_fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "base/result.hpp"

namespace control {
namespace {

base::Result<base::Fd> open_fifo(const std::string& path) {
  if (mkfifo(path.c_str(), S_IRUSR | S_IWUSR) != 0 && errno != EEXIST) return base::fail_errno("cannot make " + path);
  // Open for reading, too: so it can be opened, and written to, while nobody reads.
  base::Fd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return base::fail_errno("cannot open " + path);
  struct stat found{};
  if (fstat(fd.get(), &found) != 0 || !S_ISFIFO(found.st_mode)) return base::fail(path + " is there, but is no fifo");
  return fd;
}

}  // namespace

void NotifyFifo::configure(const std::string& path) {
  if (path == path_ && (fd_ || path.empty())) return;
  path_ = path;
  fd_.reset();
  dropped_ = 0;
  if (path.empty()) return;
  auto fd = open_fifo(path);
  if (fd) {
    fd_ = std::move(*fd);
  } else {
    base::log::error("notify_fifo: {}; nothing is written to it", fd.error().message);
  }
}

void NotifyFifo::write(const std::string& line) {
  if (!fd_) return;
  if (::write(fd_.get(), line.data(), line.size()) < 0) {
    if (dropped_++ == 0) {
      base::log::warning("notify_fifo: {}: {}; lines are dropped until somebody reads", path_, std::strerror(errno));
    }
  } else if (const int dropped = std::exchange(dropped_, 0); dropped > 0) {
    base::log::warning("notify_fifo: {}: {} lines had been dropped", path_, dropped);
  }
}

}  // namespace control
