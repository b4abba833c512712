// SPDX-License-Identifier: Apache-2.0
// A configuration file, read and held against this host: to be taken, or refused with every reason at once.
#pragma once

#include <string>
#include <vector>

#include "control/network.hpp"
#include "model/config.hpp"

namespace control {

inline constexpr int kExitConfiguration = 78;  // EX_CONFIG: starting again will not help

struct Candidate {
  model::Config config;
  std::vector<std::string> errors;  // empty: it can be taken
  int exit_code = 0;                // of a start that fails on it: a host can change by itself, a file cannot
};

// Logs the file's warnings. `generic`: that mode is wanted.
Candidate read_candidate(const std::string& file, Network& network, bool generic);

}  // namespace control
