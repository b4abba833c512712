// SPDX-License-Identifier: Apache-2.0
// How long to wait before a child is started again: 0, 1, 2, 4 ... 60 s; at once if it had lived long. Pure.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace control {

class Backoff {
 public:
  static constexpr base::Duration kLongLife = std::chrono::seconds(60);
  static constexpr base::Duration kLongest = std::chrono::seconds(60);

  // The delay before the next start of a child that has lived for `lived`.
  base::Duration after(base::Duration lived) {
    if (lived > kLongLife) next_ = base::Duration::zero();
    const base::Duration delay = next_;
    next_ = std::clamp<base::Duration>(2 * next_, std::chrono::seconds(1), kLongest);
    return delay;
  }

 private:
  base::Duration next_{};
};

}  // namespace control
