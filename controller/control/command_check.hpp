// SPDX-License-Identifier: Apache-2.0
// The commands of a configuration held against this host: what would not be run, before it is needed.
#pragma once

#include <string>
#include <vector>

#include "model/config.hpp"

namespace control {

// "/etc/chk.sh (track_script chk): /etc/chk.sh can be written to by everybody (chmod go-w /etc/chk.sh)"
std::vector<std::string> command_problems(const model::Config& config);

// Do commands get root's rights because nobody has said whose?
bool root_by_default(const model::Config& config);

}  // namespace control
