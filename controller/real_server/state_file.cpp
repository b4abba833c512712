// SPDX-License-Identifier: Apache-2.0
#include "real_server/state_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <nlohmann/json.hpp>

namespace real_server {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "net.ipv4.conf.";

base::Result<uint64_t> network_namespace_cookie() {
  const base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (!socket || ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
    return base::fail_errno("cannot tell this network namespace");
  }
  return cookie;
}

// Root's folder, no link to elsewhere.
base::Result<base::Fd> open_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return base::fail_errno("cannot make " + folder);
  base::Fd fd(::open(folder.c_str(), O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno("cannot open " + folder);
  struct stat stat{};
  if (::fstat(fd.get(), &stat) != 0) return base::fail_errno("cannot look at " + folder);
  if (stat.st_uid != ::geteuid() || (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return base::fail(folder + " can be written by others; remove it and try again");
  }
  return fd;
}

base::Result<> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) return base::fail_errno("write");
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

std::optional<bool> flag(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

}  // namespace

std::string encode(const Saved& saved) {
  json text{{"vips", json::object()}, {"sysctls", json::object()}};
  for (const auto& [vip, mine] : saved.vips) {
    text["vips"][vip.str()] = {{"address_added", mine.address_added}, {"route_added", mine.route_added}};
  }
  for (const auto& [name, before] : saved.sysctls) {
    text["sysctls"][fmt::format("{}{}.{}", kPrefix, name.first, name.second)] = before;
  }
  return text.dump(2) + "\n";
}

base::Result<Saved> decode(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object() || !all.contains("vips") || !all["vips"].is_object() || !all.contains("sysctls") ||
      !all["sysctls"].is_object()) {
    return base::fail("not the state of a real server");
  }
  Saved saved;
  for (const auto& [name, mine] : all["vips"].items()) {
    const auto vip = base::Ip::parse(name);
    const auto address = mine.is_object() ? flag(mine, "address_added") : std::nullopt;
    const auto route = mine.is_object() ? flag(mine, "route_added") : std::nullopt;
    if (!vip || !address || !route) return base::fail("not a VIP's state: " + name);
    saved.vips[*vip] = {.address_added = *address, .route_added = *route};
  }
  for (const auto& [name, before] : all["sysctls"].items()) {
    const size_t dot = name.rfind('.');
    if (!name.starts_with(kPrefix) || dot <= kPrefix.size() || !before.is_number_integer()) {
      return base::fail("not a setting's value: " + name);
    }
    saved.sysctls[{name.substr(kPrefix.size(), dot - kPrefix.size()), name.substr(dot + 1)}] = before.get<int>();
  }
  return saved;
}

base::Result<StateFile> StateFile::open(const std::string& folder) {
  const auto cookie = network_namespace_cookie();
  if (!cookie) return std::unexpected(cookie.error());
  auto fd = open_folder(folder);
  if (!fd) return std::unexpected(fd.error());
  if (::flock(fd->get(), LOCK_EX) != 0) return base::fail_errno("cannot lock " + folder);
  const std::string name = fmt::format("{}.json", *cookie);
  return StateFile(std::move(*fd), folder + "/" + name, name);
}

base::Result<Saved> StateFile::read() const {
  const base::Fd file(::openat(folder_.get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return Saved{};
  if (!file) return base::fail_errno("cannot open " + path_);
  std::string text;
  std::array<char, 4096> part{};
  ssize_t n = 0;
  while ((n = ::read(file.get(), part.data(), part.size())) > 0) text.append(part.data(), static_cast<size_t>(n));
  if (n < 0) return base::fail_errno("cannot read " + path_);
  auto saved = decode(text);
  if (!saved) {
    return base::fail(fmt::format("{}: {}; remove it to forget what was there before", path_, saved.error().message));
  }
  return saved;
}

base::Result<> StateFile::write(const Saved& saved) const {
  if (saved == Saved{}) {
    if (::unlinkat(folder_.get(), name_.c_str(), 0) != 0 && errno != ENOENT) {
      return base::fail_errno("cannot remove " + path_);
    }
    return {};
  }
  const std::string fresh = name_ + ".new";
  ::unlinkat(folder_.get(), fresh.c_str(), 0);  // of one that died while writing
  const base::Fd file(
      ::openat(folder_.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return base::fail_errno("cannot make " + path_ + ".new");
  const bool good = write_all(file.get(), encode(saved)) && ::fsync(file.get()) == 0 &&
                    ::renameat(folder_.get(), fresh.c_str(), folder_.get(), name_.c_str()) == 0;
  if (!good) return base::fail_errno("cannot write " + path_);
  return {};
}

}  // namespace real_server
