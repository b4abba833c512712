// SPDX-License-Identifier: Apache-2.0
// The fence at the exit: a filter of tc (clsact egress) on an interface, recorded by a pin `egress_IFINDEX` of its
// program. It stays when every process has ended. It lets pass what it does not drop, for the filters behind it.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.hpp"

namespace dataplane {

// Puts `program` on the interface, or in place of the one of an earlier run: no packet passes without. Nothing is done
// where it is there already.
base::Result<> fence_egress(int program, uint32_t ifindex, const std::string& interface);

void unfence_egress(uint32_t ifindex);

// Takes it off all interfaces but those of `keep`. A qdisc clsact stays: it does nothing, and others may use it.
void unfence_other_egress(const std::set<uint32_t>& keep);

}  // namespace dataplane
