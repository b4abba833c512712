// SPDX-License-Identifier: Apache-2.0
#include "control/tracker.hpp"

#include "base/log.hpp"

namespace control {

void Tracker::found(bool known, bool up, int value, const std::string& result) {
  status_.result = result;
  status_.result_at_unix = base::unix_seconds();
  ipc::TrackerState next = status_.state;
  next.known = known;
  next.up = up;
  next.value = value;
  if (next == status_.state) return;
  status_.state = next;
  status_.since_unix = status_.result_at_unix;
  if (next.kind == model::TrackerKind::file) {
    base::log::info("track_file {}: {}", next.name, result);
  } else {
    base::log::info("{} {} is {}: {}", model::name(next.kind), next.name, up ? "up" : "down", result);
  }
  on_change_();
}

void Tracker::not_found_out(const std::string& why) {
  if (status_.result != why) {
    base::log::warning("{} {}: {}; its state stands", model::name(status_.state.kind), status_.state.name, why);
  }
  status_.result = why;
  status_.result_at_unix = base::unix_seconds();
}

}  // namespace control
