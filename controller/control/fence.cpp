// SPDX-License-Identifier: Apache-2.0
#include "control/fence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/log.hpp"
#include "control/paths.hpp"
#include "netlink/sysctl.hpp"

namespace control {
namespace {

using Values = std::map<std::string, int>;

constexpr std::array<std::pair<const char*, int>, 2> kSettings{{{"arp_ignore", 1}, {"arp_announce", 2}}};

struct Setting {
  std::string interface, key;
  int value = 0;
};

void give_back(const std::string& interface, const Values& values) {
  for (const auto& [key, value] : values) {
    if (auto done = netlink::set_ipv4_conf(interface, key, value); !done) base::log::debug("{}", done.error().message);
  }
}

}  // namespace

Fence::Fence() {
  std::ifstream file(kFenceFile);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) return;
  for (const auto& [interface, values] : json.items()) {
    for (const auto& [key, value] : values.items()) {
      if (value.is_number_integer()) originals_[interface][key] = value.get<int>();
    }
  }
}

base::Result<> Fence::hold(const std::set<std::string>& interfaces) {
  const auto before = originals_;
  std::erase_if(originals_, [&](const auto& entry) {
    if (interfaces.contains(entry.first)) return false;
    give_back(entry.first, entry.second);
    return true;
  });
  std::vector<Setting> to_set;
  for (const std::string& interface : interfaces) {
    for (const auto& [key, wanted] : kSettings) {
      const base::Result<int> value = netlink::ipv4_conf(interface, key);
      if (!value) continue;  // the interface is gone, or about to go
      originals_[interface].try_emplace(key, *value);
      if (*value != wanted) to_set.push_back({interface, key, wanted});
    }
  }
  base::Result<> result;
  if (originals_ != before || !saved_) result = save();
  for (const Setting& setting : to_set) {
    if (auto done = netlink::set_ipv4_conf(setting.interface, setting.key, setting.value); !done) result = done;
  }
  return result;
}

// Written beside and renamed: the file is whole or it is the one before.
base::Result<> Fence::save() {
  const std::string text = nlohmann::json(originals_).dump(2) + "\n", draft = std::string(kFenceFile) + ".new";
  saved_ = false;
  const base::Fd file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) errno = ENOSPC;  // what a short write means
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(draft.c_str(), kFenceFile) != 0) {
    return base::fail_errno(std::string("after a crash the settings from before would not be known: cannot write ") +
                            kFenceFile);
  }
  saved_ = true;
  return {};
}

void Fence::restore() {
  for (const auto& [interface, values] : originals_) give_back(interface, values);
  originals_.clear();
  unlink(kFenceFile);
}

}  // namespace control
