// SPDX-License-Identifier: Apache-2.0
// Does a child still live? It says so by heartbeats stamped by its own event loop. A judge that has overslept
// (suspended, starved) first gives the child a full period to be heard. Pure.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace control {

class Liveness {
 public:
  // `patience`: without a beat for this long the child hangs. It is judged every `period`.
  Liveness(base::Duration patience, base::Duration period, base::Time now)
      : patience_(patience), period_(period), heard_(now), judged_(now) {}

  void beat(base::Time stamped) { heard_ = std::max(heard_, stamped); }

  bool hangs(base::Time now) {
    const bool overslept = now - judged_ > 2 * period_;
    judged_ = now;
    if (overslept) heard_ = now;
    return now - heard_ > patience_;
  }

 private:
  base::Duration patience_, period_;
  base::Time heard_, judged_;
};

}  // namespace control
