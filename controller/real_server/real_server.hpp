// SPDX-License-Identifier: Apache-2.0
// Makes this host a real server for VIPs, and undoes it: a plan is carried out as a whole or not at all.
#pragma once

#include "real_server/host.hpp"
#include "real_server/plan.hpp"
#include "real_server/state_file.hpp"

namespace real_server {

// What was done and what was left, a line each. After an error everything is as it was.
using Lines = std::vector<std::string>;
base::Result<Lines> add(Host& host, const StateFile& state, const std::set<base::Ip>& vips);
base::Result<Lines> remove(Host& host, const StateFile& state, const std::set<base::Ip>& vips);

}  // namespace real_server
