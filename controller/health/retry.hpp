// SPDX-License-Identifier: Apache-2.0
// What the tries of a check mean, and when the next one is due. Pure: verdicts in, state and delay out.
//
//   up:    a try every delay_loop. One that fails is repeated after delay_before_retry, up to `retry` times; when the
//          last of them fails too, down.
//   down:  a try every delay_loop; the first that passes: up.
//   A try that failed for a reason of our own counts as none: health and count stay, the next try is after delay_loop.
#pragma once

#include <cstddef>

#include "base/clock.hpp"
#include "health/check.hpp"

namespace health {

struct Timing {
  base::Duration delay_loop{};          // from the end of a series to the next
  base::Duration delay_before_retry{};  // from a failed try to the next one of the same series
  int retry = 0;                        // further tries after the first, in a series of one that is up
};

struct CheckState {
  bool up = true;
  int failed = 0;  // tries that failed in the series in progress

  friend bool operator==(const CheckState&, const CheckState&) = default;
};

struct Step {
  CheckState state;
  base::Duration next_try{};  // from now
  bool series_ended = false;  // worth a report: passed, down, or unknown
  int number = 1, of = 1;     // this was try `number` of `of`

  friend bool operator==(const Step&, const Step&) = default;
};

Step after_try(const CheckState& before, const Timing& timing, Verdict verdict);

// When target `index` of `count` new ones is tried first: evenly over its delay_loop, so that they do not all knock at
// once for ever, and over 5 s at most, so that nobody waits long for a first result.
base::Duration first_try(size_t index, size_t count, base::Duration delay_loop);

}  // namespace health
