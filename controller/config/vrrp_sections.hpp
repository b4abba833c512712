// SPDX-License-Identifier: Apache-2.0
// The parts of VRRP's configuration, one file each.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "model/vrrp.hpp"

namespace config {

// keepalived's global_defs, as far as instances may have it otherwise.
struct VrrpGlobals {
  std::optional<uint8_t> version;
  base::Duration startup_delay{};
  int down_timer_adverts = 3;
  model::Announcements announcements;
};

VrrpGlobals vrrp_globals(Object& object);

// vrrp_addresses.cpp: elements of `virtual_ipaddress` and of `virtual_routes`.
model::VirtualAddress virtual_address(const Value& value);
model::VirtualRoute virtual_route(const Value& value);

// vrrp_transport.cpp: from where to whom advertisements go, and what is in them. Knows the instance's family.
void read_transport(Object& object, const VrrpGlobals& globals, model::VrrpInstance& instance);

inline constexpr Whole kVrrpVersion{2, 3};

}  // namespace config
