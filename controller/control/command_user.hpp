// SPDX-License-Identifier: Apache-2.0
// Whose rights a configured command gets.
#pragma once

#include "loop/command.hpp"
#include "model/vrrp.hpp"

namespace control {

// The configured user's. None is configured: keepalived_script's, if there is such a user; else our own, as keepalived
// (where that is root, it is bounded by the unit, and the program must be root's alone).
base::Result<loop::Identity> user_of(const model::Command& command);

}  // namespace control
