// SPDX-License-Identifier: Apache-2.0
#include "netlink/sysctl.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "base/fd.hpp"

namespace netlink {
namespace {

std::string name_of(const std::string& interface, const std::string& key) {
  return fmt::format("net.ipv4.conf.{}.{}", interface, key);
}

// /proc/sys/net shows the network namespace of the process that opens it.
base::Result<base::Fd> open_conf(const std::string& interface, const std::string& key, int flags) {
  const std::string name = name_of(interface, key);
  if (interface.empty() || interface == "." || interface == ".." || interface.contains('/') || key.contains('/')) {
    return base::fail(name + ": not a setting's name");
  }
  base::Fd fd(::open(fmt::format("/proc/sys/net/ipv4/conf/{}/{}", interface, key).c_str(), flags | O_CLOEXEC));
  if (!fd) return base::fail_errno("cannot open " + name);
  return fd;
}

}  // namespace

base::Result<int> ipv4_conf(const std::string& interface, const std::string& key) {
  auto fd = open_conf(interface, key, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  std::array<char, 32> text{};
  const ssize_t size = ::read(fd->get(), text.data(), text.size());
  if (size < 0) return base::fail_errno("cannot read " + name_of(interface, key));
  int value = 0;
  if (std::from_chars(text.data(), text.data() + size, value).ec != std::errc()) {
    return base::fail(name_of(interface, key) + " is not a number");
  }
  return value;
}

base::Result<> set_ipv4_conf(const std::string& interface, const std::string& key, int value) {
  auto fd = open_conf(interface, key, O_WRONLY);
  if (!fd) return std::unexpected(fd.error());
  const std::string text = fmt::format("{}\n", value);
  if (::write(fd->get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return base::fail_errno(fmt::format("cannot set {} to {}", name_of(interface, key), value));
  }
  return {};
}

}  // namespace netlink
