// SPDX-License-Identifier: Apache-2.0
// The log: one line per event to standard error, each beginning with the process's role. Never put a secret in.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace base::log {

enum class Level { debug, info, warning, error };

// `role` ("xdirector", "vrrp", "health") begins each line. Under systemd the journal adds the time, elsewhere we do.
void start(std::string_view role, Level level);
bool parse_level(std::string_view text, Level& level);  // "debug", "info", "warning", "error"
std::string_view level_name(Level level);

void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace base::log
