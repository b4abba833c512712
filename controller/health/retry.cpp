// SPDX-License-Identifier: Apache-2.0
#include "health/retry.hpp"

#include <algorithm>

namespace health {
namespace {

constexpr base::Duration kLongestSpread = std::chrono::seconds(5);

}  // namespace

Step after_try(const CheckState& before, const Timing& timing, Verdict verdict) {
  Step step{.state = before,
            .next_try = timing.delay_loop,
            .series_ended = true,
            .number = before.failed + 1,
            .of = before.up ? timing.retry + 1 : 1};
  switch (verdict) {
    case Verdict::passed:
      step.state = {.up = true, .failed = 0};
      break;
    case Verdict::unknown:
      break;
    case Verdict::failed:
      if (before.up && step.number < step.of) {
        step.state.failed = step.number;
        step.next_try = timing.delay_before_retry;
        step.series_ended = false;
      } else {
        step.state = {.up = false, .failed = 0};
      }
      break;
  }
  return step;
}

base::Duration first_try(size_t index, size_t count, base::Duration delay_loop) {
  if (count == 0) return base::Duration::zero();
  const base::Duration spread = std::min(delay_loop, kLongestSpread);
  return base::Duration(spread.count() / static_cast<int64_t>(count) * static_cast<int64_t>(index));
}

}  // namespace health
