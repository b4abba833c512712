// SPDX-License-Identifier: Apache-2.0
// Does a child still live? It says so by heartbeats stamped by its own event loop. A judge that has overslept
// (suspended, starved) first gives the child a full period to be heard. Until its first heartbeat a child is starting,
// which on a slow machine takes longer than it may ever be silent afterwards. Pure.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace control {

class Liveness {
 public:
  static constexpr base::Duration kStart = std::chrono::seconds(10);  // at most, from fork to the first beat

  // `patience`: without a beat for this long the child hangs. It is judged every `period`.
  Liveness(base::Duration patience, base::Duration period, base::Time now)
      : patience_(patience), period_(period), heard_(now), judged_(now) {}

  void beat(base::Time stamped) {
    heard_ = std::max(heard_, stamped);
    started_ = true;
  }

  bool hangs(base::Time now) {
    const bool overslept = now - judged_ > 2 * period_;
    judged_ = now;
    if (overslept) heard_ = now;
    return now - heard_ > (started_ ? patience_ : std::max(patience_, kStart));
  }

 private:
  base::Duration patience_, period_;
  base::Time heard_, judged_;
  bool started_ = false;
};

}  // namespace control
