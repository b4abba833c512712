// SPDX-License-Identifier: Apache-2.0
// One control plane at a time: a lock that ends with the process that holds it.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

namespace control {

// Makes /run/xdirector (0700) and locks it. Refuses while another process holds the lock, and names that process.
base::Result<base::Fd> take_lock();

}  // namespace control
