// SPDX-License-Identifier: Apache-2.0
// Diagnostic: one thing that is wrong or doubtful in a configuration file, as one line for the operator.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace config {

// Both count from 1; a column is a character, not a byte. Line 0: the file as a whole.
struct Position {
  size_t line = 1, column = 1;

  friend auto operator<=>(const Position&, const Position&) = default;
};

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  Position position;
  std::string path;     // virtual_servers[0].real_servers[1].weight; empty: a syntax error, or the file as a whole
  std::string message;  // what is wrong; what is allowed

  // "FILE:LINE: PATH: MESSAGE". What has no path (a syntax error) has its column instead; a warning says so after the
  // line.
  std::string str() const;
};

// `text` in double quotes, safe to print: cut where it is long, without control characters.
std::string quoted(std::string_view text);

}  // namespace config
