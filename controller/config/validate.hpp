// SPDX-License-Identifier: Apache-2.0
// What no section can see alone. Pure: a configuration in, findings out. Empty values (an address 0.0.0.0, a port 0, an
// empty name) are ones that could not be read; they have been reported and are not judged again.
#pragma once

#include <string>
#include <vector>

#include "model/config.hpp"

namespace config {

struct Finding {
  std::string path;
  std::string message;
};

// Contradictions and limits: such a configuration cannot run.
std::vector<Finding> contradictions(const model::Config& config);

std::vector<Finding> vrrp_contradictions(const model::Config& config);  // those of VRRP among them

// Such a configuration runs, but probably not as it is meant.
std::vector<Finding> doubts(const model::Config& config);
std::vector<Finding> vrrp_doubts(const model::Config& config);  // those about VRRP among them

}  // namespace config
