// SPDX-License-Identifier: Apache-2.0
// keepalived's global_defs for VRRP: what an instance has that does not say otherwise.
#include "config/vrrp_sections.hpp"

namespace config {

VrrpGlobals vrrp_globals(Object& object) {
  VrrpGlobals globals;
  if (const auto version = object.find("vrrp_version")) {
    if (const auto number = kVrrpVersion(*version)) globals.version = static_cast<uint8_t>(*number);
  }
  return globals;
}

}  // namespace config
