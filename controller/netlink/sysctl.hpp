// SPDX-License-Identifier: Apache-2.0
// The kernel's settings of an interface: net.ipv4.conf.INTERFACE.KEY and the like of IPv6, in the network namespace of
// this process.
#pragma once

#include <string>

#include "base/result.hpp"

namespace netlink {

// `interface` may be "all"; an interface's effective arp_ignore and arp_announce is the higher of its own and "all".
base::Result<int> ipv4_conf(const std::string& interface, const std::string& key);
base::Result<int> ipv6_conf(const std::string& interface, const std::string& key);
base::Result<> set_ipv4_conf(const std::string& interface, const std::string& key, int value);

}  // namespace netlink
