// SPDX-License-Identifier: Apache-2.0
#include "control/fence.hpp"

#include <fcntl.h>
#include <unistd.h>

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

struct Setting {
  std::string interface, key;
  int value = 0;
};

void give_back(const std::string& interface, const Fence::Settings& values) {
  for (const auto& [key, value] : values) {
    if (auto done = netlink::set_ipv4_conf(interface, key, value); !done) base::log::debug("{}", done.error().message);
  }
}

}  // namespace

const Fence::Settings Fence::kQuiet{{"arp_ignore", 1}, {"arp_announce", 2}};

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

// What is remembered of an interface and not wanted there any more is given back.
void Fence::let_go(const ByInterface& wanted) {
  for (auto& [interface, values] : originals_) {
    const auto still = wanted.find(interface);
    Settings unwanted;
    std::erase_if(values, [&](const auto& value) {
      if (still != wanted.end() && still->second.contains(value.first)) return false;
      unwanted.insert(value);
      return true;
    });
    give_back(interface, unwanted);
  }
  std::erase_if(originals_, [](const auto& entry) { return entry.second.empty(); });
}

base::Result<> Fence::hold(const ByInterface& wanted) {
  const auto before = originals_;
  let_go(wanted);
  std::vector<Setting> to_set;
  for (const auto& [interface, settings] : wanted) {
    for (const auto& [key, value] : settings) {
      const base::Result<int> now = netlink::ipv4_conf(interface, key);
      if (!now) continue;  // the interface is gone, or about to go
      originals_[interface].try_emplace(key, *now);
      if (*now != value) to_set.push_back({interface, key, value});
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

Fence::ByInterface kernel_settings(const model::Config& config, const std::set<std::string>& quiet) {
  Fence::ByInterface all;
  for (const std::string& interface : quiet) all[interface] = Fence::kQuiet;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    if (instance.use_vmac) {
      Fence::Settings& settings = all[instance.vmac_name];
      settings.insert(Fence::kQuiet.begin(), Fence::kQuiet.end());
      // Whom it hears is routed by the interface below; and while it has no address, even a loose filter drops all.
      settings["rp_filter"] = 0;
    }
    if (!instance.promote_secondaries) continue;
    for (const model::VirtualAddress& address : instance.all_addresses()) {
      all[place_of(instance, address)]["promote_secondaries"] = 1;
    }
  }
  return all;
}

}  // namespace control
