// SPDX-License-Identifier: Apache-2.0
#include "health/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace health {

Target::Check::Check(Target& target, const model::TcpCheck& check)
    : config(check),
      state{.up = target.config_.up},
      next_try(target.loop_, [&target, this] { target.try_now(*this); }) {}

Target::Target(loop::Loop& loop, ipc::HealthTarget config, base::Duration first_try, const StartProbe& start_probe,
               const OnReport& on_report)
    : loop_(loop),
      config_(std::move(config)),
      start_probe_(start_probe),
      on_report_(on_report),
      reported_up_(config_.up) {
  for (const model::TcpCheck& check : config_.checks) {
    checks_.emplace_back(*this, check).next_try.start(first_try);
  }
  if (checks_.empty() && !config_.up) report({.verdict = Verdict::passed, .words = "has no checks"});
}

bool Target::up() const {
  return std::ranges::all_of(checks_, [](const Check& check) { return check.state.up; });
}

std::string Target::name() const {
  return fmt::format("{}: real server {}", config_.virtual_server, config_.address.str(config_.port));
}

void Target::try_now(Check& check) {
  check.probe =
      start_probe_(loop_, config_, check.config, [this, &check](Outcome outcome) { tried(check, std::move(outcome)); });
}

void Target::tried(Check& check, Outcome outcome) {
  const Timing timing{.delay_loop = config_.delay_loop,
                      .delay_before_retry = check.config.delay_before_retry,
                      .retry = check.config.retry};
  const Step step = after_try(check.state, timing, outcome.verdict);
  if (outcome.verdict == Verdict::failed && step.of > 1) {
    outcome.words += fmt::format(" (try {} of {})", step.number, step.of);
  }
  base::log::debug("{}: {}", name(), outcome.words);
  const bool unknown = outcome.verdict == Verdict::unknown;
  if (!std::exchange(check.unknown, unknown) && unknown) {
    base::log::warning("{}: cannot be checked, its health stays as it is: {}", name(), outcome.words);
  }
  check.state = step.state;
  check.last = std::move(outcome);
  check.next_try.start(step.next_try);
  if (step.series_ended) series_ended(check);
}

// Says the words of the check that ended or, when only another one keeps the real server down, of that one.
void Target::series_ended(const Check& ended) {
  const Check* said = &ended;
  if (ended.state.up && !up()) {
    said = &*std::ranges::find_if(checks_, [](const Check& check) { return !check.state.up; });
  }
  report(said->last);
}

void Target::report(const Outcome& outcome) {
  const bool is_up = up();
  if (std::exchange(reported_up_, is_up) != is_up) {
    const auto level = is_up ? base::log::Level::info : base::log::Level::warning;
    base::log::write(level, fmt::format("{} is {}: {}", name(), is_up ? "up" : "down", outcome.words));
  }
  on_report_(ipc::HealthReport{.id = config_.id,
                               .up = is_up,
                               .unknown = outcome.verdict == Verdict::unknown,
                               .outcome = outcome.words,
                               .at_unix = base::unix_seconds()});
}

}  // namespace health
