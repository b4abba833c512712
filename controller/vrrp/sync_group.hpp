// SPDX-License-Identifier: Apache-2.0
// A sync group: what becomes of one member makes the others follow. Pure; the worker asks after every change.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipc/messages.hpp"

namespace vrrp {

// What the other members are told when one has gone from one state to another.
struct GroupNews {
  ipc::VrrpState state = ipc::VrrpState::backup;  // MASTER: take over; BACKUP: give way
  std::string why;

  friend bool operator==(const GroupNews&, const GroupNews&) = default;
};

// A member in FAULT is no news: it is a fault of the whole group for as long as it lasts.
inline std::optional<GroupNews> news_for_group(std::string_view group, std::string_view member, ipc::VrrpState before,
                                               ipc::VrrpState now) {
  if (before == now) return std::nullopt;
  const bool takes = now == ipc::VrrpState::master;
  const bool leaves = before == ipc::VrrpState::master && now == ipc::VrrpState::backup;
  if (!takes && !leaves) return std::nullopt;
  return GroupNews{
      now, "sync group " + std::string(group) + ": " + std::string(member) + " is " + std::string(ipc::name(now))};
}

}  // namespace vrrp
