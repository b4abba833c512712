// SPDX-License-Identifier: Apache-2.0
// Virtual routes that a worker has left behind.
#pragma once

#include "base/result.hpp"
#include "model/config.hpp"

namespace control {

// Takes off those of ours that no instance of `config` has; with an empty one, all.
base::Result<> remove_stray_routes(const model::Config& config);

}  // namespace control
