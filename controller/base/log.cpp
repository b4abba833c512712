// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>
#include <string>

namespace base::log {
namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
constexpr std::array<spdlog::level::level_enum, 4> kSpdlog{spdlog::level::debug, spdlog::level::info,
                                                           spdlog::level::warn, spdlog::level::err};

}  // namespace

void start(std::string_view role, Level level) {
  auto logger = std::make_shared<spdlog::logger>(std::string(role), std::make_shared<spdlog::sinks::stderr_sink_st>());
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(journal ? "%n: %l: %v" : "%Y-%m-%d %H:%M:%S.%e %n: %l: %v");
  logger->set_level(kSpdlog.at(static_cast<size_t>(level)));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

bool parse_level(std::string_view text, Level& level) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) {
      level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

std::string_view level_name(Level level) {
  return kNames.at(static_cast<size_t>(level));
}

void write(Level level, std::string_view line) {
  spdlog::log(kSpdlog.at(static_cast<size_t>(level)), "{}", line);
}

}  // namespace base::log
