// SPDX-License-Identifier: Apache-2.0
// xdirector check FILE: is this configuration one to run?
#pragma once

#include <string>

namespace cli {

// Prints what is wrong and what is doubtful, errors first, one line each, then a summary. Exit code: 0 when `run` would
// accept the file, else 1.
int check(const std::string& file);

}  // namespace cli
