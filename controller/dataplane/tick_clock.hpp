// SPDX-License-Identifier: Apache-2.0
// The packet path's clock: jiffies, in ticks of about a second. No other clock is sure to agree with it to the tick,
// so a program of three instructions reads it; also where no daemon runs and whoever made the tables.
#pragma once

#include <cstdint>
#include <optional>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace dataplane {

class TickClock {
 public:
  static base::Result<TickClock> open(uint32_t tick_shift);  // as `settings` has it

  // nullopt: the kernel does not say (no memory); nobody's age can be told.
  std::optional<uint32_t> now() const;

 private:
  explicit TickClock(base::Fd program) : program_(std::move(program)) {}
  base::Fd program_;
};

}  // namespace dataplane
