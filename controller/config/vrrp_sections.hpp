// SPDX-License-Identifier: Apache-2.0
// The parts of VRRP's configuration, one file each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "model/vrrp.hpp"

namespace config {

// --- vrrp_commands.cpp ---

// Whose rights a command gets: "USER" or "USER GROUP", as keepalived has it.
struct ScriptUser {
  std::string user, group;
};
struct UserAndGroup {
  std::string allowed() const { return "the name of a user, and of a group behind it where that is not the user's"; }
  std::optional<ScriptUser> operator()(const Value& value) const;
};

// A program with its arguments: a text that is split as keepalived does it, or a list of texts.
struct CommandLine {
  std::string allowed() const { return "the whole path of a program with its arguments, as a text or a list of texts"; }
  std::optional<std::vector<std::string>> operator()(const Value& value) const;
};

model::Notify read_notify(Object& object, const ScriptUser& otherwise);

// --- vrrp_globals.cpp ---

// keepalived's global_defs, as far as instances may have it otherwise.
struct VrrpGlobals {
  std::optional<uint8_t> version;
  base::Duration startup_delay{};
  int down_timer_adverts = 3;
  model::Announcements announcements;
  std::optional<int> lower_priority_repeat;  // none: as garp_master_repeat
  ScriptUser script_user;                    // empty: control decides
};

VrrpGlobals vrrp_globals(Object& object);
std::string notify_fifo(Object& object);
// What an instance says of its announcements; the rest is as in `globals`.
model::Announcements read_announcements(Object& object, const VrrpGlobals& globals);

// --- vrrp_addresses.cpp: elements of `virtual_ipaddress` and of `virtual_routes` ---

model::VirtualAddress virtual_address(const Value& value);
model::VirtualRoute virtual_route(const Value& value);

// --- vrrp_transport.cpp: how an instance speaks with its peers; it must have its virtual addresses already ---

void read_transport(Object& object, const VrrpGlobals& globals, model::VrrpInstance& instance);

inline constexpr Whole kVrrpVersion{2, 3};

// --- vrrp_tracking.cpp ---

// What can be tracked by name, and what it weighs unless its use says otherwise.
struct Weight {
  int weight = 0;
  bool reverse = false;
};
struct Trackables {
  std::map<model::TrackerKind, std::map<std::string, Weight>> weights;
};

model::TrackScript track_script(const Value& value, const ScriptUser& user, Trackables& trackables);
model::TrackFile track_file(const Value& value, Trackables& trackables);
model::TrackProcess track_process(const Value& value, Trackables& trackables);

// `track_interface`, `track_script`, `track_file` and `track_process` of an instance or a sync group.
std::vector<model::Tracked> read_tracked(Object& object, const Trackables& trackables);

// --- vrrp_groups.cpp: an element of `vrrp_sync_groups`. What it tracks is given to its members in `instances`. ---

model::SyncGroup sync_group(const Value& value, const ScriptUser& user, const Trackables& trackables,
                            std::vector<model::VrrpInstance>& instances);

}  // namespace config
