// SPDX-License-Identifier: Apache-2.0
#include "control/transitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace control {
namespace {

std::optional<ToldState> told_as(ipc::VrrpState state) {
  switch (state) {
    case ipc::VrrpState::master:
      return ToldState::master;
    case ipc::VrrpState::backup:
      return ToldState::backup;
    case ipc::VrrpState::fault:
      return ToldState::fault;
    case ipc::VrrpState::init:
      return std::nullopt;
  }
  return std::nullopt;
}

const char* name(Subject subject) {
  return subject == Subject::group ? "GROUP" : "INSTANCE";
}

const model::Command& own_command(const model::Notify& notify, ToldState state) {
  switch (state) {
    case ToldState::master:
      return notify.master;
    case ToldState::backup:
      return notify.backup;
    case ToldState::fault:
      return notify.fault;
    case ToldState::stop:
      break;
  }
  return notify.stop;
}

}  // namespace

std::string_view name(ToldState state) {
  switch (state) {
    case ToldState::master:
      return "MASTER";
    case ToldState::backup:
      return "BACKUP";
    case ToldState::fault:
      return "FAULT";
    case ToldState::stop:
      break;
  }
  return "STOP";
}

std::vector<std::string> words(const Transition& transition) {
  return {name(transition.subject), transition.name, std::string(name(transition.state)),
          std::to_string(transition.priority)};
}

std::string line(const Transition& transition) {
  return fmt::format("{} \"{}\" {} {}\n", name(transition.subject), transition.name, name(transition.state),
                     transition.priority);
}

std::vector<model::Command> commands(const model::Notify& notify, const Transition& transition) {
  std::vector<model::Command> all;
  if (const model::Command& own = own_command(notify, transition.state)) all.push_back(own);
  if (notify.any) {
    all.push_back(notify.any);
    for (std::string& word : words(transition)) all.back().arguments.push_back(std::move(word));
  }
  return all;
}

std::vector<Transition> Transitions::configure(const model::Config& config) {
  instances_.clear();
  for (const model::VrrpInstance& instance : config.vrrp_instances) instances_.push_back(instance.name);
  groups_ = config.sync_groups;
  std::vector<Transition> news;
  std::erase_if(of_instances_, [&](const auto& entry) {
    const auto& [instance, told] = entry;
    if (std::ranges::find(instances_, instance) != instances_.end()) return false;
    if (told.state != ToldState::fault) {
      news.push_back({Subject::instance, instance, ToldState::fault, told.priority});
    }
    return true;
  });
  std::erase_if(of_groups_, [&](const auto& entry) {
    return std::ranges::find(groups_, entry.first, &model::SyncGroup::name) == groups_.end();
  });
  return news;
}

void Transitions::tell(std::vector<Transition>& news, const Transition& transition) {
  auto& told = transition.subject == Subject::group ? of_groups_ : of_instances_;
  const auto [place, is_new] = told.try_emplace(transition.name);
  const bool changed = is_new || place->second.state != transition.state;
  place->second = {transition.state, transition.priority};
  if (changed) news.push_back(transition);
}

void Transitions::tell_groups(std::vector<Transition>& news) {
  for (const model::SyncGroup& group : groups_) {
    const auto first = of_instances_.find(group.instances.empty() ? "" : group.instances.front());
    if (first == of_instances_.end()) continue;
    const ToldState state = first->second.state;
    const bool all = std::ranges::all_of(group.instances, [&](const std::string& member) {
      const auto found = of_instances_.find(member);
      return found != of_instances_.end() && found->second.state == state;
    });
    if (all) tell(news, {Subject::group, group.name, state, 0});
  }
}

std::vector<Transition> Transitions::report(const ipc::VrrpReport& report) {
  std::vector<Transition> news;
  const std::optional<ToldState> state = told_as(report.state);
  if (!state || std::ranges::find(instances_, report.instance) == instances_.end()) return news;
  tell(news, {Subject::instance, report.instance, *state, report.priority});
  if (!news.empty()) tell_groups(news);
  return news;
}

std::vector<Transition> Transitions::stop() {
  std::vector<Transition> news;
  for (const std::string& instance : instances_) {
    const auto told = of_instances_.find(instance);
    if (told != of_instances_.end()) {
      tell(news, {Subject::instance, instance, ToldState::stop, told->second.priority});
    }
  }
  tell_groups(news);
  return news;
}

}  // namespace control
