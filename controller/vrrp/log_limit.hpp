// SPDX-License-Identifier: Apache-2.0
// LogLimit: lets a line through once per subject in a while, so that whoever floods us does not flood the log.
#pragma once

#include <cstdint>
#include <set>

#include "base/clock.hpp"

namespace vrrp {

class LogLimit {
 public:
  bool allows(uint64_t subject, base::Time now) {
    if (now - since_ >= kPeriod) {
      seen_.clear();
      since_ = now;
    }
    if (seen_.size() >= kSubjects) return false;
    return seen_.insert(subject).second;
  }

 private:
  static constexpr base::Duration kPeriod = std::chrono::minutes(10);
  static constexpr size_t kSubjects = 64;
  base::Time since_;
  std::set<uint64_t> seen_;
};

}  // namespace vrrp
