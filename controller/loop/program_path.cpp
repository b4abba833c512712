// SPDX-License-Identifier: Apache-2.0
#include "loop/program_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace loop {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

base::Result<> check_owner(const struct stat& found, const std::string& path, uid_t user) {
  if (found.st_uid == 0 || found.st_uid == user) return {};
  return base::fail(fmt::format("{} belongs to user id {}, who could change what is run (chown -h root {})", path,
                                found.st_uid, path));
}

base::Result<> check_writers(const struct stat& found, const std::string& path) {
  const mode_t sticky = S_ISDIR(found.st_mode) ? found.st_mode & S_ISVTX : 0;
  const bool group = (found.st_mode & S_IWGRP) != 0 && found.st_gid != 0, others = (found.st_mode & S_IWOTH) != 0;
  if ((!group && !others) || sticky != 0) return {};
  return base::fail(fmt::format("{} can be written to by {} (chmod go-w {})", path,
                                others ? "everybody" : fmt::format("group id {}", found.st_gid), path));
}

// One step: the name in the directory, looked at by its descriptor.
struct Entry {
  base::Fd fd;
  struct stat found{};
};

base::Result<Entry> look(int directory, const std::string& name, const std::string& path) {
  Entry entry{.fd = base::Fd(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC))};
  if (!entry.fd || fstat(entry.fd.get(), &entry.found) != 0) return base::fail_errno(path);
  return entry;
}

base::Result<std::string> target_of(const Entry& link, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlinkat(link.fd.get(), "", target.data(), target.size());
  if (size < 0) return base::fail_errno(path);
  return std::string(target.data(), static_cast<size_t>(size));
}

std::string joined(const std::string& directory, const std::string& name) {
  return (directory == "/" ? "" : directory) + "/" + name;
}

// From the root to the file, one name at a time.
class Walk {
 public:
  Walk(const std::string& path, uid_t user) : path_(path), user_(user) { follow(path); }

  // One name further. True: at the file.
  base::Result<bool> step() {
    const std::string name = std::move(names_.front());
    names_.pop_front();
    if (name == ".") return false;
    if (name == "..") {
      if (way_.size() > 1) way_.pop_back();
      return false;
    }
    const std::string here = joined(way_.back().path, name);
    auto entry = look(way_.back().fd.get(), name, here);
    if (!entry) return std::unexpected(entry.error());
    if (auto mine = check_owner(entry->found, here, user_); !mine) return std::unexpected(mine.error());
    if (S_ISLNK(entry->found.st_mode)) return link(*entry, here);
    if (auto safe = check_writers(entry->found, here); !safe) return std::unexpected(safe.error());
    if (S_ISREG(entry->found.st_mode) && names_.empty()) return true;
    if (!S_ISDIR(entry->found.st_mode)) return base::fail(here + " is not a program");
    way_.push_back({here, std::move(entry->fd)});
    if (names_.empty()) return base::fail(here + " is a directory");
    return false;
  }

 private:
  base::Result<bool> link(const Entry& entry, const std::string& here) {
    if (++links_ > kMostLinks) return base::fail_errno(path_, ELOOP);
    auto target = target_of(entry, here);
    if (!target) return std::unexpected(target.error());
    follow(*target);
    return false;
  }

  void follow(std::string_view path) {
    if (path.starts_with('/')) {
      way_.clear();
      way_.push_back({"/", base::Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC))});
    }
    std::vector<std::string> parts;
    for (size_t from = 0; from < path.size();) {
      const size_t to = std::min(path.find('/', from), path.size());
      if (to > from) parts.emplace_back(path.substr(from, to - from));
      from = to + 1;
    }
    names_.insert(names_.begin(), parts.begin(), parts.end());
  }

  struct Directory {
    std::string path;
    base::Fd fd;
  };
  const std::string& path_;
  uid_t user_;
  int links_ = 0;
  std::vector<Directory> way_;     // entered so far
  std::deque<std::string> names_;  // still to go
};

}  // namespace

base::Result<> check_program_path(const std::string& path, uid_t user) {
  if (!path.starts_with('/') || path.ends_with('/')) return base::fail(path + " is no absolute path of a program");
  Walk walk(path, user);
  for (;;) {
    const auto there = walk.step();
    if (!there) return std::unexpected(there.error());
    if (*there) return {};
  }
}

}  // namespace loop
