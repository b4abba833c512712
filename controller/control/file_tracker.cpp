// SPDX-License-Identifier: Apache-2.0
#include "control/file_tracker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <expected>

#include "control/file_number.hpp"

namespace control {
namespace {

// For what no event tells: a writer that keeps the file open, a link's target, a directory that comes later.
constexpr base::Duration kLookAgain = std::chrono::seconds(1);
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MOVE_SELF;

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Or the errno that says why not.
std::expected<std::string, int> content(const std::string& path) {
  const base::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // it may be a fifo
  struct stat found{};
  if (!fd || fstat(fd.get(), &found) != 0) return std::unexpected(errno);
  if (!S_ISREG(found.st_mode)) return std::unexpected(EINVAL);
  std::array<char, 128> text{};
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size < 0) return std::unexpected(errno);
  return std::string(text.data(), static_cast<size_t>(size));
}

bool is_our_own_failure(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM;
}

}  // namespace

FileTracker::FileTracker(loop::Loop& loop, Definition file, OnChange on_change)
    : Tracker(model::TrackerKind::file, file.name, std::move(on_change)),
      loop_(loop),
      file_(std::move(file)),
      timer_(loop, [this] { look_again(); }) {
  timer_.start_every(kLookAgain);
  watch();
  read(false);
}

void FileTracker::change(const Definition& file) {
  file_ = file;
  watch();
  read(false);
}

// The directory, not the file: one that is replaced would not be seen.
void FileTracker::watch() {
  inotify_watch_.reset();
  inotify_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_ || inotify_add_watch(inotify_.get(), directory_of(file_.path).c_str(), kEvents) < 0) {
    inotify_.reset();  // until we look again
    return;
  }
  inotify_watch_.emplace(loop_, inotify_.get(), loop::Watch::When::readable, [this] { events(); });
}

void FileTracker::events() {
  alignas(inotify_event) std::array<char, 8192> events{};
  uint32_t seen = 0;
  for (ssize_t size = 0; (size = ::read(inotify_.get(), events.data(), events.size())) > 0;) {
    for (const char* at = events.data(); at < events.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      seen |= event->mask;
      at += sizeof(inotify_event) + event->len;
    }
  }
  if ((seen & (IN_IGNORED | IN_MOVE_SELF)) != 0) watch();  // the directory is gone
  read((seen & ~(IN_CREATE | IN_ISDIR)) == 0);
}

void FileTracker::look_again() {
  if (!inotify_) watch();
  read(true);
}

// A file that is being written may be empty for a moment.
void FileTracker::read(bool being_written) {
  const auto text = content(file_.path);
  if (!text && is_our_own_failure(text.error())) {
    not_found_out(fmt::format("cannot read {}: {}", file_.path, std::strerror(text.error())));
    return;
  }
  if (text && text->empty() && being_written && status().state.known) return;
  const int value = text ? file_number(*text) : 0;
  const std::string result = text
                                 ? fmt::format("{} in {}", value, file_.path)
                                 : fmt::format("0, for {} cannot be read: {}", file_.path, std::strerror(text.error()));
  found(true, value == 0, value, result);
}

}  // namespace control
