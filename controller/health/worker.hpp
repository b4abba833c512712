// SPDX-License-Identifier: Apache-2.0
// The role `xdirector worker health`: checks the real servers it is told of and reports what it finds. It has no
// privileges: what a real server answers is an attacker's input.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"

namespace health {

int run_worker(base::log::Level level);  // the exit code

// As many descriptors as the system allows, user and group nobody, no capability, none to be had again.
base::Result<> drop_privileges();

}  // namespace health
