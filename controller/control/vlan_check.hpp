// SPDX-License-Identifier: Apache-2.0
// A frame leaves with the VLAN tags that it came with. So a real server must be in the VLAN in which packets for its
// virtual address come in; anything else is an error of the configuration. Pure.
#pragma once

#include <string>
#include <vector>

#include "control/attachment_plan.hpp"
#include "model/config.hpp"

namespace control {

using Reach = std::map<base::Ip, uint32_t>;  // real server → the interface that its route has

// One line for each real server in another VLAN. Where packets for a virtual address come in is known of those that a
// VRRP instance has; the others are not judged.
std::vector<std::string> vlan_contradictions(const model::Config& config, const AttachmentPlan& plan,
                                             const Links& links, const Reach& reach);

}  // namespace control
