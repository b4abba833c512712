// SPDX-License-Identifier: Apache-2.0
// Farewell: what the parent does in the place of a vrrp worker that is dead and cannot be back in time.
#pragma once

#include <vector>

#include "ipc/messages.hpp"

namespace vrrp {

// Sends priority 0 for each instance and removes its virtual addresses from its interface. The caller has ended the
// leases before. Does as much as it can; the error tells all that failed. Must not run while a worker lives.
base::Result<> farewell(const std::vector<ipc::VrrpAssignment>& instances);

}  // namespace vrrp
