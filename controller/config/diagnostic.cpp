// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostic.hpp"

#include <fmt/format.h>

namespace config {

std::string Diagnostic::str() const {
  std::string text = file;
  if (position.line != 0) text += fmt::format(":{}", position.line);
  if (position.line != 0 && path.empty()) text += fmt::format(":{}", position.column);
  if (severity == Severity::warning) text += ": warning";
  if (!path.empty()) text += ": " + path;
  return text + ": " + message;
}

std::string quoted(std::string_view text) {
  constexpr size_t kLongest = 60;
  const bool cut = text.size() > kLongest;
  std::string result = "\"";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  // Do not end within a character.
  while (cut && (static_cast<unsigned char>(result.back()) & 0xc0) == 0x80) result.pop_back();
  if (cut && static_cast<unsigned char>(result.back()) >= 0xc0) result.pop_back();
  return result + (cut ? "...\"" : "\"");
}

}  // namespace config
