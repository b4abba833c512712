// SPDX-License-Identifier: Apache-2.0
// A configuration held against this host's interfaces, before anything is put on them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/preflight.hpp"
#include "control/vlan_check.hpp"
#include "netlink/socket.hpp"

namespace control {

// By which interface each real server of the configuration is reached; those that are not are left out.
Reach find_reach(netlink::Socket& socket, const model::Config& config);

struct HostFindings {
  std::vector<Finding> interfaces;          // of all interfaces of the configuration that exist
  std::vector<std::string> contradictions;  // errors of the configuration
};
HostFindings check_host(const model::Config& config, const Links& links, const Reach& reach, bool generic);

}  // namespace control
