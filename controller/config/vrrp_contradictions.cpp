// SPDX-License-Identifier: Apache-2.0
// Contradictions between VRRP instances, and within one.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/diagnostic.hpp"
#include "config/unique.hpp"
#include "config/validate.hpp"

namespace config {
namespace {

using Findings = std::vector<Finding>;

const char* family_name(bool v6) {
  return v6 ? "IPv6" : "IPv4";
}

bool family_known(const model::VrrpInstance& instance) {
  return !instance.virtual_addresses.empty() && instance.virtual_addresses.front().ip != base::Ip();
}

// Routers are told apart by their interface, family and VRID.
void unique_instances(const model::Config& config, Findings& findings) {
  Unique<std::string> names;
  Unique<std::tuple<std::string, bool, uint8_t>> routers;
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const model::VrrpInstance& instance = config.vrrp_instances[i];
    const std::string here = fmt::format("vrrp_instances[{}]", i);
    if (const std::string first = names.first(instance.name, here); !instance.name.empty() && !first.empty()) {
      findings.push_back({here + ".name", fmt::format("\"{}\" is the name of {} already; each instance needs its own",
                                                      instance.name, first)});
    }
    if (instance.interface.empty() || instance.virtual_router_id == 0 || !family_known(instance)) continue;
    const std::string first = routers.first({instance.interface, instance.is_v6(), instance.virtual_router_id}, here);
    if (first.empty()) continue;
    findings.push_back(
        {here + ".virtual_router_id",
         fmt::format("{} is the virtual_router_id of {} on {} too: each would take the other's advertisements for its "
                     "own; give one of them another, on all routers",
                     instance.virtual_router_id, first, instance.interface)});
  }
}

struct AddressAt {
  const model::VirtualAddress& address;
  std::string path;
};

std::vector<AddressAt> addresses_of(const model::VrrpInstance& instance, const std::string& here) {
  std::vector<AddressAt> all;
  auto add = [&](const std::vector<model::VirtualAddress>& addresses, const char* key) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      all.push_back({addresses[i], fmt::format("{}.{}[{}]", here, key, i)});
    }
  };
  add(instance.virtual_addresses, "virtual_ipaddress");
  add(instance.excluded_addresses, "virtual_ipaddress_excluded");
  return all;
}

void unique_addresses(const model::Config& config, Findings& findings) {
  Unique<base::Ip> addresses;
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    for (const auto& [address, path] : addresses_of(config.vrrp_instances[i], fmt::format("vrrp_instances[{}]", i))) {
      const std::string first = addresses.first(address.ip, path);
      if (address.ip == base::Ip() || first.empty()) continue;
      findings.push_back({path, fmt::format("{} is at {} already; a virtual address belongs to one instance, once",
                                            address.ip.str(), first)});
    }
  }
}

// An advertisement lists addresses of one family.
void one_family(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (!family_known(instance)) return;
  for (size_t i = 0; i < instance.virtual_addresses.size(); ++i) {
    const base::Ip& address = instance.virtual_addresses[i].ip;
    if (address == base::Ip() || address.is_v6() == instance.is_v6()) continue;
    findings.push_back(
        {fmt::format("{}.virtual_ipaddress[{}]", here, i),
         fmt::format("{} is {}, but the first address is {}; put it into \"virtual_ipaddress_excluded\", "
                     "or into an instance of its own",
                     address.str(), family_name(address.is_v6()), family_name(instance.is_v6()))});
  }
}

void owner_preempts(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.priority != 255) return;
  constexpr const char* kOwner = "has no effect with priority 255: who owns the addresses always takes them; remove it";
  if (instance.nopreempt) findings.push_back({here + ".nopreempt", kOwner});
  if (instance.preempt_delay > base::Duration()) findings.push_back({here + ".preempt_delay", kOwner});
}

void peers(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  Unique<base::Ip> seen;
  for (size_t i = 0; i < instance.unicast_peers.size(); ++i) {
    const base::Ip& peer = instance.unicast_peers[i].address;
    if (peer == base::Ip()) continue;
    const std::string path = fmt::format("{}.unicast_peer[{}]", here, i);
    if (const std::string first = seen.first(peer, path); !first.empty()) {
      findings.push_back({path, fmt::format("{} is {} already", peer.str(), first)});
    }
    if (peer == instance.source) {
      findings.push_back({path, fmt::format("{} is this router's own address; give the peer's", peer.str())});
    }
  }
}

// Of the peers and of the router itself.
void own_addresses(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  for (const auto& [address, path] : addresses_of(instance, here)) {
    if (address.ip == base::Ip()) continue;
    const bool is_peer = std::ranges::any_of(
        instance.unicast_peers, [&](const model::UnicastPeer& peer) { return peer.address == address.ip; });
    if (is_peer || (address.ip == instance.source && instance.priority != 255)) {
      findings.push_back({path, fmt::format("{} is {}: it is there all the time and cannot move", address.ip.str(),
                                            is_peer ? "a unicast peer's own address" : "this router's own address")});
    }
  }
}

void intervals(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.longest_advert_int == base::Duration() || instance.longest_advert_int >= instance.advert_int) return;
  findings.push_back({here + ".longest_advert_int", "is shorter than \"advert_int\""});
}

// One interface cannot be two virtual routers' macvlan, nor another instance's interface.
void vmacs(const model::Config& config, Findings& findings) {
  Unique<std::string> names;
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    names.first(config.vrrp_instances[i].interface, fmt::format("vrrp_instances[{}].interface", i));
  }
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const std::string& name = config.vrrp_instances[i].vmac_name;
    const std::string path = fmt::format("vrrp_instances[{}].use_vmac", i);
    if (name.empty()) continue;
    if (const std::string first = names.first(name, path); !first.empty()) {
      findings.push_back({path, fmt::format("{} is at {} already; each macvlan needs a name of its own", name, first)});
    }
  }
}

template <typename Definition>
void unique_definitions(const std::vector<Definition>& definitions, const char* list, Findings& findings) {
  Unique<std::string> names;
  for (size_t i = 0; i < definitions.size(); ++i) {
    const std::string here = fmt::format("{}[{}]", list, i);
    const std::string first = names.first(definitions[i].name, here);
    if (definitions[i].name.empty() || first.empty()) continue;
    findings.push_back({here + ".name", fmt::format("\"{}\" is the name of {} already; each needs its own",
                                                    definitions[i].name, first)});
  }
}

// The key of `tracked[index]`, as the file has it; a sync group's come behind the instance's own.
void tracked_once(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  Unique<std::pair<model::TrackerKind, std::string>> seen;
  for (const model::Tracked& tracked : instance.tracked) {
    const std::string path = fmt::format("{}.{}", here, name(tracked.kind));
    if (tracked.name.empty() || seen.first({tracked.kind, tracked.name}, path).empty()) continue;
    findings.push_back({path, fmt::format("\"{}\" is there twice; keep one", tracked.name)});
  }
}

bool has_instance(const model::Config& config, const std::string& name) {
  // One whose name could not be read may be it.
  return std::ranges::any_of(config.vrrp_instances, [&](const model::VrrpInstance& instance) {
    return instance.name == name || instance.name.empty();
  });
}

void sync_groups(const model::Config& config, Findings& findings) {
  unique_definitions(config.sync_groups, "vrrp_sync_groups", findings);
  Unique<std::string> members;
  for (size_t i = 0; i < config.sync_groups.size(); ++i) {
    const model::SyncGroup& group = config.sync_groups[i];
    const std::string list = fmt::format("vrrp_sync_groups[{}].group", i);
    if (group.instances.empty()) findings.push_back({list, "the group has no members"});
    for (size_t j = 0; j < group.instances.size(); ++j) {
      const std::string& member = group.instances[j];
      const std::string path = fmt::format("{}[{}]", list, j);
      if (member.empty()) continue;
      if (!has_instance(config, member)) {
        findings.push_back({path, fmt::format("no entry of \"vrrp_instances\" has the name {}", quoted(member))});
      } else if (const std::string first = members.first(member, path); !first.empty()) {
        findings.push_back(
            {path, fmt::format("\"{}\" is at {} already; an instance is in one group, once", member, first)});
      }
    }
  }
}

}  // namespace

std::vector<Finding> vrrp_contradictions(const model::Config& config) {
  Findings findings;
  unique_instances(config, findings);
  unique_addresses(config, findings);
  unique_definitions(config.track_scripts, "vrrp_scripts", findings);
  unique_definitions(config.track_files, "vrrp_track_files", findings);
  unique_definitions(config.track_processes, "vrrp_track_processes", findings);
  vmacs(config, findings);
  sync_groups(config, findings);
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const model::VrrpInstance& instance = config.vrrp_instances[i];
    const std::string here = fmt::format("vrrp_instances[{}]", i);
    one_family(instance, here, findings);
    owner_preempts(instance, here, findings);
    peers(instance, here, findings);
    own_addresses(instance, here, findings);
    intervals(instance, here, findings);
    tracked_once(instance, here, findings);
  }
  return findings;
}

}  // namespace config
