// SPDX-License-Identifier: Apache-2.0
// An element of `vrrp_sync_groups`.
#include <fmt/format.h>

#include <algorithm>

#include "config/sections.hpp"

namespace config {
namespace {

// The group's trackers are its members'; each counts once.
void give(const std::vector<model::Tracked>& tracked, model::VrrpInstance& member, const Value& group) {
  for (const model::Tracked& one : tracked) {
    const auto same = std::ranges::find_if(
        member.tracked, [&](const model::Tracked& own) { return own.kind == one.kind && own.name == one.name; });
    if (same == member.tracked.end()) {
      member.tracked.push_back(one);
    } else if (*same != one) {
      group.wrong(fmt::format("its member \"{}\" has {} \"{}\" otherwise; leave it to the group", member.name,
                              name(one.kind), one.name));
    }
  }
}

}  // namespace

model::SyncGroup sync_group(const Value& value, const ScriptUser& user, const Trackables& trackables,
                            std::vector<model::VrrpInstance>& instances) {
  Object object(value);
  model::SyncGroup group;
  group.name = object.required<std::string>("name", kName);
  group.instances = object.required_list("group", "a list of the names of VRRP instances",
                                         [](const Value& element) { return kName(element).value_or(std::string()); });
  group.notify = read_notify(object, user);
  const std::vector<model::Tracked> tracked = read_tracked(object, trackables);
  for (model::VrrpInstance& instance : instances) {
    if (std::ranges::find(group.instances, instance.name) != group.instances.end()) give(tracked, instance, value);
  }
  object.close();
  return group;
}

}  // namespace config
