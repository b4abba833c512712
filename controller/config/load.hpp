// SPDX-License-Identifier: Apache-2.0
// A configuration file → model::Config. All that the rest of the program needs of config/.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"
#include "model/config.hpp"

namespace config {

struct Loaded {
  model::Config config;
  std::vector<Diagnostic> warnings;
};

// The error has everything that is wrong, errors first, then the warnings; at least one error. A syntax error comes
// alone. Pure; `file_name` is only for the diagnostics.
std::expected<Loaded, std::vector<Diagnostic>> load(std::string_view text, const std::string& file_name);

std::expected<Loaded, std::vector<Diagnostic>> load_file(const std::string& path);

}  // namespace config
