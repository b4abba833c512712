// SPDX-License-Identifier: Apache-2.0
// The sections of a configuration, each read by a file of its own. Every element of a list becomes one element of the
// result, so that indices in model::Config and in paths are the same.
#pragma once

#include <vector>

#include "config/reader.hpp"
#include "config/vrrp_sections.hpp"
#include "model/config.hpp"

namespace config {

// How long the connection table remembers, as `lvs_timeouts` sets it.
struct Timeouts {
  base::Duration tcp = std::chrono::seconds(900);
  base::Duration tcp_fin = std::chrono::seconds(120);
  base::Duration udp = std::chrono::seconds(300);
};

// `lvs_timeouts` of `object`; what it does not say is as in `inherited`.
Timeouts lvs_timeouts(Object& object, const Timeouts& inherited);

model::VrrpInstance vrrp_instance(const Value& value, const VrrpGlobals& globals, const Trackables& trackables);
model::PortMark port_mark(const Value& value);
model::VirtualServer virtual_server(const Value& value, const Timeouts& inherited,
                                    const std::vector<model::PortMark>& port_marks);

// Shared by the sections.
inline constexpr Whole kPort{1, 65535};
inline constexpr Whole kMark{1, 0xffffffff};
inline constexpr Text kName{63};
Choice<model::Protocol> protocol();

}  // namespace config
