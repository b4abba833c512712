// SPDX-License-Identifier: Apache-2.0
#include "control/fence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/log.hpp"
#include "control/paths.hpp"
#include "netlink/sysctl.hpp"

namespace control::fence {
namespace {

constexpr std::array<std::pair<const char*, int>, 2> kSettings{{{"arp_ignore", 1}, {"arp_announce", 2}}};

struct Setting {
  std::string interface, key;
  int value = 0;
};

using Originals = std::map<std::string, std::map<std::string, int>>;  // interface → key → value

Originals load() {
  std::ifstream file(kFenceFile);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  Originals originals;
  if (!json.is_object()) return originals;
  for (const auto& [interface, values] : json.items()) {
    for (const auto& [key, value] : values.items()) {
      if (value.is_number_integer()) originals[interface][key] = value.get<int>();
    }
  }
  return originals;
}

// Written beside and renamed: the file is whole or it is the one before.
base::Result<> save(const Originals& originals) {
  const std::string text = nlohmann::json(originals).dump(2) + "\n", draft = std::string(kFenceFile) + ".new";
  const base::Fd file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(draft.c_str(), kFenceFile) != 0) {
    return base::fail_errno(std::string("cannot write ") + kFenceFile);
  }
  return {};
}

void give_back(const std::string& interface, const std::map<std::string, int>& values) {
  for (const auto& [key, value] : values) {
    if (auto done = netlink::set_ipv4_conf(interface, key, value); !done) base::log::debug("{}", done.error().message);
  }
}

}  // namespace

base::Result<> hold(const std::set<std::string>& interfaces) {
  const Originals before = load();
  Originals originals = before;
  std::erase_if(originals, [&](const auto& entry) {
    if (interfaces.contains(entry.first)) return false;
    give_back(entry.first, entry.second);
    return true;
  });
  std::vector<Setting> to_set;
  for (const std::string& interface : interfaces) {
    for (const auto& [key, wanted] : kSettings) {
      const base::Result<int> value = netlink::ipv4_conf(interface, key);
      if (!value) continue;  // the interface is gone, or about to go
      originals[interface].try_emplace(key, *value);
      if (*value != wanted) to_set.push_back({interface, key, wanted});
    }
  }
  if (originals != before) {
    if (auto done = save(originals); !done) return done;
  }
  for (const Setting& setting : to_set) {
    if (auto done = netlink::set_ipv4_conf(setting.interface, setting.key, setting.value); !done) return done;
  }
  return {};
}

void restore() {
  for (const auto& [interface, values] : load()) give_back(interface, values);
  unlink(kFenceFile);
}

}  // namespace control::fence
