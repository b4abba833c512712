// SPDX-License-Identifier: Apache-2.0
// The process role `xdirector worker vrrp`: all VRRP instances of this host.
#pragma once

#include "base/log.hpp"

namespace vrrp {

// Serves the parent on descriptor ipc::kWorkerFd until ipc::Stop, then resigns everywhere and returns the exit code 0.
// When the parent dies the process ends at once and leaves addresses and leases as they are.
int run_worker(base::log::Level level);

}  // namespace vrrp
