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

// A setting of "ipv4" or "ipv6".
std::string name_of(const std::string& protocol, const std::string& interface, const std::string& key) {
  return fmt::format("net.{}.conf.{}.{}", protocol, interface, key);
}

// /proc/sys/net shows the network namespace of the process that opens it.
base::Result<base::Fd> open_conf(const std::string& protocol, const std::string& interface, const std::string& key,
                                 int flags) {
  const std::string name = name_of(protocol, interface, key);
  if (interface.empty() || interface == "." || interface == ".." || interface.contains('/') || key.contains('/')) {
    return base::fail(name + ": not a setting's name");
  }
  base::Fd fd(::open(fmt::format("/proc/sys/net/{}/conf/{}/{}", protocol, interface, key).c_str(), flags | O_CLOEXEC));
  if (!fd) return base::fail_errno("cannot open " + name);
  return fd;
}

base::Result<int> read_conf(const std::string& protocol, const std::string& interface, const std::string& key) {
  auto fd = open_conf(protocol, interface, key, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  std::array<char, 32> text{};
  const ssize_t size = ::read(fd->get(), text.data(), text.size());
  if (size < 0) return base::fail_errno("cannot read " + name_of(protocol, interface, key));
  int value = 0;
  if (std::from_chars(text.data(), text.data() + size, value).ec != std::errc()) {
    return base::fail(name_of(protocol, interface, key) + " is not a number");
  }
  return value;
}

}  // namespace

base::Result<int> ipv4_conf(const std::string& interface, const std::string& key) {
  return read_conf("ipv4", interface, key);
}

base::Result<int> ipv6_conf(const std::string& interface, const std::string& key) {
  return read_conf("ipv6", interface, key);
}

base::Result<> set_ipv4_conf(const std::string& interface, const std::string& key, int value) {
  auto fd = open_conf("ipv4", interface, key, O_WRONLY);
  if (!fd) return std::unexpected(fd.error());
  const std::string text = fmt::format("{}\n", value);
  if (::write(fd->get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return base::fail_errno(fmt::format("cannot set {} to {}", name_of("ipv4", interface, key), value));
  }
  return {};
}

}  // namespace netlink
