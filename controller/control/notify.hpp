// SPDX-License-Identifier: Apache-2.0
// What systemd is told: ready, alive, stopping. Nothing happens without systemd.
#pragma once

#include <fmt/format.h>
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
  // `within`: systemd waits at least so long, whatever TimeoutStopSec says.
  void stopping(base::Duration within) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(within).count();
    sd_notify(0, fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", us).c_str());
  }

 private:
  loop::Timer timer_;
};

}  // namespace control
