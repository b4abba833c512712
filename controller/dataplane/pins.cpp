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
#include <filesystem>
#include <vector>

namespace dataplane::pins {
namespace {

constexpr const char* kBpffs = "/sys/fs/bpf";
constexpr std::string_view kLinkPrefix = "link_";

std::vector<std::string> names() {
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory, error)) {
    all.push_back(entry.path().filename().string());
  }
  return all;
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

base::Fd open(const std::string& name) {
  return base::Fd(bpf_obj_get(path(name).c_str()));
}

base::Result<> pin(int fd, const std::string& name) {
  if (bpf_obj_pin(fd, path(name).c_str()) != 0) return base::fail_errno("cannot pin " + path(name));
  return {};
}

void unpin(const std::string& name) {
  unlink(path(name).c_str());
}

std::map<uint32_t, base::Fd> links() {
  std::map<uint32_t, base::Fd> all;
  for (const std::string& name : names()) {
    if (!name.starts_with(kLinkPrefix)) continue;
    uint32_t ifindex = 0;
    std::from_chars(name.data() + kLinkPrefix.size(), name.data() + name.size(), ifindex);
    all[ifindex] = open(name);
  }
  return all;
}

bool remove_all() {
  const std::vector<std::string> all = names();
  for (const std::string& name : all) {
    if (name.starts_with(kLinkPrefix)) unpin(name);
  }
  for (const std::string& name : all) unpin(name);
  return rmdir(kDirectory) == 0;
}

}  // namespace dataplane::pins
