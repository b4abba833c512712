// SPDX-License-Identifier: Apache-2.0
// Doubts about VRRP instances: what is heard otherwise than it is meant.
#include <fmt/format.h>

#include <algorithm>

#include "config/validate.hpp"

namespace config {
namespace {

using Findings = std::vector<Finding>;

void passwords(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.auth_pass.size() <= 8) return;
  findings.push_back(
      {here + ".authentication.auth_pass", "the password is longer than 8 characters; only the first 8 count"});
}

// Eleven of 38 files with nopreempt have it together with MASTER, and fail back all the same.
void ignored_by_keepalived(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.state != model::InitialState::master || instance.priority == 255) return;
  if (instance.nopreempt) {
    findings.push_back({here + ".nopreempt",
                        "keepalived ignores this together with \"state\": \"MASTER\"; here it holds, so that this "
                        "director will no longer take the addresses back. To keep that it does, delete this line"});
  } else if (instance.preempt_delay > base::Duration()) {
    findings.push_back({here + ".preempt_delay",
                        "keepalived ignores this together with \"state\": \"MASTER\"; here it holds, so that this "
                        "director will take the addresses back later. To keep that it does so at once, delete this "
                        "line"});
  }
}

void delay_without_preemption(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (!instance.nopreempt || instance.preempt_delay == base::Duration()) return;
  findings.push_back({here + ".preempt_delay", "has no effect with \"nopreempt\""});
}

void link_local_first(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.virtual_addresses.empty() || !instance.is_v6()) return;
  const base::Ip& first = instance.virtual_addresses.front().ip;
  if (first == base::Ip() || base::is_link_local_v6(first)) return;
  findings.push_back({here + ".virtual_ipaddress[0]",
                      fmt::format("{} is not link-local, as RFC 9568 wants an IPv6 router's first address to be. "
                                  "keepalived does not mind; other makers' routers may reject it",
                                  first.str())});
}

void unnamed_source(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.unicast_peers.empty() || instance.source != base::Ip()) return;
  findings.push_back({here + ".unicast_peer",
                      "without \"unicast_src_ip\" advertisements come from the interface's first address, which may "
                      "change; the peers take only what comes from an address they name"});
}

void weights_of_an_owner(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.priority != 255) return;
  for (const model::Tracked& tracked : instance.tracked) {
    if (tracked.weight == 0) continue;
    findings.push_back({fmt::format("{}.{}", here, name(tracked.kind)),
                        fmt::format("the weight of \"{}\" has no effect: priority 255 stays 255. With weight 0 it "
                                    "would lead to FAULT",
                                    tracked.name)});
  }
}

// Members that differ want to be MASTER on different routers, but they can only go together.
void group_members(const model::Config& config, size_t index, Findings& findings) {
  const model::SyncGroup& group = config.sync_groups[index];
  const std::string here = fmt::format("vrrp_sync_groups[{}].group", index);
  if (group.instances.size() == 1) findings.push_back({here, "a group of one instance has no effect"});
  const model::VrrpInstance* first = nullptr;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    if (std::ranges::find(group.instances, instance.name) == group.instances.end() || instance.priority == 0) continue;
    if (first == nullptr) first = &instance;
    if (instance.priority == first->priority) continue;
    findings.push_back({here, fmt::format("\"{}\" has priority {}, but \"{}\" {}. The group is where all its members "
                                          "can be: if on the other router another one has the higher priority, they "
                                          "never agree. Give all members the same",
                                          first->name, first->priority, instance.name, instance.priority)});
    return;
  }
}

template <typename Definition>
void unused(const model::Config& config, const std::vector<Definition>& definitions, model::TrackerKind kind,
            const char* list, Findings& findings) {
  for (size_t i = 0; i < definitions.size(); ++i) {
    const bool used = std::ranges::any_of(config.vrrp_instances, [&](const model::VrrpInstance& instance) {
      return std::ranges::any_of(instance.tracked, [&](const model::Tracked& tracked) {
        return tracked.kind == kind && tracked.name == definitions[i].name;
      });
    });
    if (used || definitions[i].name.empty()) continue;
    findings.push_back(
        {fmt::format("{}[{}]", list, i), fmt::format("no instance has it as \"{}\": it has no effect", name(kind))});
  }
}

}  // namespace

std::vector<Finding> vrrp_doubts(const model::Config& config) {
  Findings findings;
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const model::VrrpInstance& instance = config.vrrp_instances[i];
    const std::string here = fmt::format("vrrp_instances[{}]", i);
    passwords(instance, here, findings);
    ignored_by_keepalived(instance, here, findings);
    delay_without_preemption(instance, here, findings);
    link_local_first(instance, here, findings);
    unnamed_source(instance, here, findings);
    weights_of_an_owner(instance, here, findings);
  }
  for (size_t i = 0; i < config.sync_groups.size(); ++i) group_members(config, i, findings);
  unused(config, config.track_scripts, model::TrackerKind::script, "vrrp_scripts", findings);
  unused(config, config.track_files, model::TrackerKind::file, "vrrp_track_files", findings);
  unused(config, config.track_processes, model::TrackerKind::process, "vrrp_track_processes", findings);
  return findings;
}

}  // namespace config
