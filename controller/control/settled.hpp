// SPDX-License-Identifier: Apache-2.0
// What has been so for long enough. Pure.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace control {

class Settled {
 public:
  // What is seen now. The first is believed at once; another than is believed, once it has stood for `delay`.
  void see(bool value, base::Time now, base::Duration delay) {
    if (!value_) value_ = value;
    if (value == *value_) {
      other_since_.reset();
      return;
    }
    if (!other_since_) other_since_ = now;
    if (now - *other_since_ < delay) return;
    value_ = value;
    other_since_.reset();
  }

  bool value() const { return value_.value_or(false); }
  bool waiting() const { return other_since_.has_value(); }  // look again when `delay` has passed

 private:
  std::optional<bool> value_;
  std::optional<base::Time> other_since_;
};

}  // namespace control
