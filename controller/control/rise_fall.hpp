// SPDX-License-Identifier: Apache-2.0
// When results in a row make a script up or down, as keepalived counts them. Pure.
#pragma once

#include "model/vrrp.hpp"

namespace control {

class RiseFall {
 public:
  explicit RiseFall(const model::TrackScript& script)
      : rise_(script.rise), fall_(script.fall), known_(script.init_fail), up_(!script.init_fail), alone_(!known_) {}

  // Other numbers. What is known stands; the first result of another script decides alone.
  void change(const model::TrackScript& script, bool another) {
    rise_ = script.rise;
    fall_ = script.fall;
    in_a_row_ = 0;
    alone_ = alone_ || another;
  }

  void result(bool success) {
    in_a_row_ = success == up_ ? 0 : in_a_row_ + 1;
    if (alone_ || in_a_row_ >= (success ? rise_ : fall_)) {
      up_ = success;
      in_a_row_ = 0;
    }
    known_ = true;
    alone_ = false;
  }

  bool known() const { return known_; }
  bool up() const { return up_; }
  int in_a_row() const { return in_a_row_; }  // results so far that speak against it

 private:
  int rise_, fall_, in_a_row_ = 0;
  bool known_, up_;
  bool alone_;  // the next result decides
};

}  // namespace control
