// SPDX-License-Identifier: Apache-2.0
// What systemd is told: ready, alive, stopping. Nothing happens without systemd.
#pragma once

#include <systemd/sd-daemon.h>

#include <optional>

#include "loop/loop.hpp"

namespace control {

class Notify {
 public:
  explicit Notify(loop::Loop& loop) : timer_(loop, [] { sd_notify(0, "WATCHDOG=1"); }) {}

  // From now on the loop says that it is alive, twice as often as WatchdogSec asks.
  void ready() {
    sd_notify(0, "READY=1");
    uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) > 0) timer_.start_every(std::chrono::microseconds(microseconds / 2));
  }
  void stopping() { sd_notify(0, "STOPPING=1"); }

 private:
  loop::Timer timer_;
};

}  // namespace control
