// SPDX-License-Identifier: Apache-2.0
#include "model/config.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace model {

const char* name(Protocol protocol) {
  return protocol == Protocol::tcp ? "TCP" : "UDP";
}

std::string VirtualServerKey::str() const {
  if (mark != 0) return fmt::format("{} fwmark {}{}", name(protocol), mark, mark_v6 ? " IPv6" : "");
  return fmt::format("{} {}", name(protocol), address.str(port));
}

std::vector<std::string> Config::attached_interfaces() const {
  std::vector<std::string> all;
  auto add = [&](const std::string& interface) {
    if (std::ranges::find(all, interface) == all.end()) all.push_back(interface);
  };
  for (const VrrpInstance& instance : vrrp_instances) add(instance.interface);
  for (const std::string& interface : interfaces) add(interface);
  return all;
}

}  // namespace model
