// SPDX-License-Identifier: Apache-2.0
// keepalived's global_defs for VRRP: what an instance has that does not say otherwise.
#include "config/vrrp_sections.hpp"

namespace config {
namespace {

// The same words for all instances and for one.
struct AnnouncementKeys {
  std::string_view repeat, delay, refresh, refresh_repeat, lower_prio_repeat;
};
constexpr AnnouncementKeys kGlobal{"vrrp_garp_master_repeat", "vrrp_garp_master_delay", "vrrp_garp_master_refresh",
                                   "vrrp_garp_master_refresh_repeat", "vrrp_garp_lower_prio_repeat"};
constexpr AnnouncementKeys kOfInstance{"garp_master_repeat", "garp_master_delay", "garp_master_refresh",
                                       "garp_master_refresh_repeat", "garp_lower_prio_repeat"};

// All but lower_priority_repeat, which is returned where it is given.
std::optional<int> read(Object& object, const AnnouncementKeys& keys, model::Announcements& announcements) {
  constexpr Whole kRepeat{1, 100};
  constexpr Seconds kDelay{0, 86400};
  announcements.repeat = object.optional<int>(keys.repeat, kRepeat, announcements.repeat);
  announcements.delay = object.optional<base::Duration>(keys.delay, kDelay, announcements.delay);
  announcements.refresh = object.optional<base::Duration>(keys.refresh, kDelay, announcements.refresh);
  announcements.refresh_repeat = object.optional<int>(keys.refresh_repeat, kRepeat, announcements.refresh_repeat);
  const auto lower = object.find(keys.lower_prio_repeat);
  if (!lower) return std::nullopt;
  return static_cast<int>(Whole{0, 100}(*lower).value_or(0));
}

}  // namespace

VrrpGlobals vrrp_globals(Object& object) {
  VrrpGlobals globals;
  if (const auto version = object.find("vrrp_version")) {
    if (const auto number = kVrrpVersion(*version)) globals.version = static_cast<uint8_t>(*number);
  }
  globals.startup_delay =
      object.optional<base::Duration>("vrrp_startup_delay", Seconds{0, 86400}, globals.startup_delay);
  globals.down_timer_adverts = object.optional<int>("vrrp_down_timer_adverts", Whole{1, 100}, 3);
  globals.lower_priority_repeat = read(object, kGlobal, globals.announcements);
  constexpr Seconds kInterval{0, 10};
  globals.announcements.arp_interval = object.optional<base::Duration>("vrrp_garp_interval", kInterval, {});
  globals.announcements.nd_interval = object.optional<base::Duration>("vrrp_gna_interval", kInterval, {});
  globals.script_user = object.optional<ScriptUser>("script_user", UserAndGroup(), {});
  // Comparing the addresses of an advertisement costs nothing here, and a difference is no reason to drop it.
  object.optional<bool>("vrrp_skip_check_adv_addr", Flag(), false);
  if (const auto security = object.find("enable_script_security"); security && !Flag()(*security).value_or(true)) {
    security->wrong("cannot be switched off: a program that others could change is never run as root");
  }
  return globals;
}

std::string notify_fifo(Object& object) {
  constexpr Text kPath{4096};
  std::string path;
  for (const std::string_view key : {"notify_fifo", "vrrp_notify_fifo"}) {
    const auto value = object.find(key);
    if (!value) continue;
    if (!path.empty()) value->wrong("there is one FIFO; keep \"notify_fifo\" or this");
    path = kPath(*value).value_or("");
    if (!path.empty() && !path.starts_with('/')) value->wrong(quoted(path) + " is no whole path; expected one");
  }
  return path;
}

model::Announcements read_announcements(Object& object, const VrrpGlobals& globals) {
  model::Announcements announcements = globals.announcements;
  const std::optional<int> lower = read(object, kOfInstance, announcements);
  announcements.lower_priority_repeat = lower.value_or(globals.lower_priority_repeat.value_or(announcements.repeat));
  return announcements;
}

}  // namespace config
