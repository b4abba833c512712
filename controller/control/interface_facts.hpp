// SPDX-License-Identifier: Apache-2.0
// Gathers the facts that preflight.hpp judges, from this host as it is now.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "control/attachment_plan.hpp"
#include "control/preflight.hpp"

namespace control {

// Of `interface`, on which `plan` puts the program, in generic mode if that is wanted; real servers are reached by the
// interfaces `exits`. nullopt: it does not exist.
std::optional<InterfaceFacts> gather_facts(const std::string& interface, const AttachmentPlan& plan,
                                           const std::set<uint32_t>& exits, const Links& links, bool generic);

}  // namespace control
