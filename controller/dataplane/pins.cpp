// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pins.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace dataplane::pins {
namespace {

constexpr const char* kBpffs = "/sys/fs/bpf";
constexpr std::string_view kLinkPrefix = "link_";
constexpr std::string_view kEgressPrefix = "egress_";
constexpr std::string_view kNextPrefix = "next_";  // pinned, but not yet in its place

std::vector<std::string> names() {
  std::vector<std::string> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(kDirectory, error), end; !error && at != end; at.increment(error)) {
    all.push_back(at->path().filename().string());
  }
  return all;
}

std::set<uint32_t> interfaces_with(std::string_view prefix) {
  std::set<uint32_t> all;
  for (const std::string& name : names()) {
    if (!name.starts_with(prefix)) continue;
    uint32_t ifindex = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + prefix.size(), end, ifindex).ptr == end) all.insert(ifindex);
  }
  return all;
}

std::string next_name(const std::string& name) {
  return std::string(kNextPrefix) + name;
}

}  // namespace

base::Result<> prepare() {
  struct statfs fs{};
  if (statfs(kBpffs, &fs) != 0) return base::fail_errno(fmt::format("cannot look at {}", kBpffs));
  if (fs.f_type != BPF_FS_MAGIC && mount("bpf", kBpffs, "bpf", 0, "mode=0700") != 0) {
    return base::fail_errno(fmt::format("{} is not a BPF file system and mounting one there failed", kBpffs));
  }
  if (mkdir(kDirectory, 0700) != 0 && errno != EEXIST)
    return base::fail_errno(fmt::format("cannot make {}", kDirectory));
  return {};
}

std::string path(const std::string& name) {
  return fmt::format("{}/{}", kDirectory, name);
}
std::string link_name(uint32_t ifindex) {
  return fmt::format("{}{}", kLinkPrefix, ifindex);
}
std::string egress_name(uint32_t ifindex) {
  return fmt::format("{}{}", kEgressPrefix, ifindex);
}

base::Result<base::Fd> open(const std::string& name) {
  base::Fd fd(bpf_obj_get(path(name).c_str()));
  if (!fd && errno != ENOENT) return base::fail_errno("cannot open " + path(name));
  return fd;
}

base::Result<> pin(int fd, const std::string& name) {
  if (bpf_obj_pin(fd, path(name).c_str()) != 0) return base::fail_errno("cannot pin " + path(name));
  return {};
}

base::Result<> replace(const std::vector<std::pair<std::string, int>>& fds) {
  for (size_t i = fds.size(); i-- > 0;) {
    const auto& [name, fd] = fds[i];
    if (auto done = pin(fd, next_name(name)); !done) return done;
  }
  return complete_replacement(fds.front().first);
}

// All are there once the first is, and as long as it is.
base::Result<> complete_replacement(const std::string& first) {
  std::vector<std::string> next;
  for (const std::string& name : names()) {
    if (name.starts_with(kNextPrefix) && name != next_name(first)) next.push_back(name.substr(kNextPrefix.size()));
  }
  if (access(path(next_name(first)).c_str(), F_OK) != 0) {
    for (const std::string& name : next) unpin(next_name(name));
    return {};
  }
  next.push_back(first);
  for (const std::string& name : next) {
    if (rename(path(next_name(name)).c_str(), path(name).c_str()) != 0) {
      return base::fail_errno("cannot replace " + path(name));
    }
  }
  return {};
}

base::Result<> replace_one(int fd, const std::string& name) {
  unpin(next_name(name));
  if (auto done = pin(fd, next_name(name)); !done) return done;
  if (rename(path(next_name(name)).c_str(), path(name).c_str()) != 0)
    return base::fail_errno("cannot pin " + path(name));
  return {};
}

void unpin(const std::string& name) {
  unlink(path(name).c_str());
}

std::set<uint32_t> links() {
  return interfaces_with(kLinkPrefix);
}
std::set<uint32_t> egresses() {
  return interfaces_with(kEgressPrefix);
}

bool remove_all() {
  const std::vector<std::string> all = names();
  for (const std::string& name : all) unpin(name);
  return rmdir(kDirectory) == 0 || !all.empty();
}

}  // namespace dataplane::pins
