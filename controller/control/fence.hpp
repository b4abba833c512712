// SPDX-License-Identifier: Apache-2.0
// The kernel's half of the fence: arp_ignore=1 and arp_announce=2 on the VRRP interfaces, so that neither a dead node's
// own traffic nor its other interfaces speak for a virtual address. (The program's half drops ARP requests.)
// What was set before is remembered in a file, for a run that crashes too.
#pragma once

#include <set>
#include <string>

#include "base/result.hpp"

namespace control::fence {

// Holds the settings on these interfaces and gives all others their own back. An interface that is gone is no error.
base::Result<> hold(const std::set<std::string>& interfaces);
void restore();

}  // namespace control::fence
