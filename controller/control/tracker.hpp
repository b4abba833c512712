// SPDX-License-Identifier: Apache-2.0
// What all trackers have in common: a state for the vrrp worker, and for people since when and why it is so.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "ipc/messages.hpp"

namespace control {

struct TrackerStatus {
  ipc::TrackerState state;
  std::string result;                          // the last one: "exit code 1: no route to host", "quorum: 2 of 1"
  int64_t result_at_unix = 0, since_unix = 0;  // 0: none yet; when it went up or down, or got its number
};

class Tracker {
 public:
  using OnChange = std::function<void()>;  // the state is another one

  virtual ~Tracker() = default;
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  const TrackerStatus& status() const { return status_; }

 protected:
  Tracker(model::TrackerKind kind, const std::string& name, OnChange on_change) : on_change_(std::move(on_change)) {
    status_.state.kind = kind;
    status_.state.name = name;
  }

  // A result, and the state that follows from it.
  void found(bool known, bool up, int value, const std::string& result);
  // A failure of our own: the state stands.
  void not_found_out(const std::string& why);

 private:
  TrackerStatus status_;
  OnChange on_change_;
};

}  // namespace control
