// SPDX-License-Identifier: Apache-2.0
#include "control/command_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/command_user.hpp"
#include "loop/program_path.hpp"

namespace control {
namespace {

struct Use {
  std::string where;
  model::Command command;
};

void add(std::vector<Use>& all, const std::string& name, const model::Notify& notify) {
  for (const auto& [key, command] :
       {std::pair("notify", &notify.any), std::pair("notify_master", &notify.master),
        std::pair("notify_backup", &notify.backup), std::pair("notify_fault", &notify.fault),
        std::pair("notify_stop", &notify.stop)}) {
    if (*command) all.push_back({name + " " + key, *command});
  }
}

std::vector<Use> all_commands(const model::Config& config) {
  std::vector<Use> all;
  all.reserve(config.track_scripts.size());
  for (const model::TrackScript& script : config.track_scripts) {
    all.push_back({"track_script " + script.name, script.command});
  }
  for (const model::VrrpInstance& instance : config.vrrp_instances) add(all, instance.name, instance.notify);
  for (const model::SyncGroup& group : config.sync_groups) add(all, group.name, group.notify);
  return all;
}

base::Result<> check(const model::Command& command) {
  const auto user = user_of(command);
  if (!user) return std::unexpected(user.error());
  return loop::check_program_path(command.arguments.front(), user->uid);
}

}  // namespace

std::vector<std::string> command_problems(const model::Config& config) {
  std::vector<std::string> problems;
  for (const Use& use : all_commands(config)) {
    if (const auto done = check(use.command); !done) {
      problems.push_back(fmt::format("{} ({}): {}", use.command.arguments.front(), use.where, done.error().message));
    }
  }
  return problems;
}

bool root_by_default(const model::Config& config) {
  return std::ranges::any_of(all_commands(config), [](const Use& use) {
    const auto user = user_of(use.command);
    return use.command.user.empty() && user && user->uid == 0;
  });
}

}  // namespace control
