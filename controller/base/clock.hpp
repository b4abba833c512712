// SPDX-License-Identifier: Apache-2.0
// Time for machines is CLOCK_BOOTTIME nanoseconds (it counts suspend and no one can set it); time for people is
// CLOCK_REALTIME seconds and never feeds a timer. Pure cores take times as parameters and never call these.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace base {

using Duration = std::chrono::nanoseconds;

// A point on CLOCK_BOOTTIME.
struct Time {
  int64_t ns = 0;

  friend constexpr auto operator<=>(Time, Time) = default;
  friend constexpr Time operator+(Time t, Duration d) { return Time{t.ns + d.count()}; }
  friend constexpr Time operator-(Time t, Duration d) { return Time{t.ns - d.count()}; }
  friend constexpr Duration operator-(Time a, Time b) { return Duration(a.ns - b.ns); }
};

inline Time now() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Time{t.tv_sec * 1'000'000'000LL + t.tv_nsec};
}

inline int64_t unix_seconds() {
  return static_cast<int64_t>(std::time(nullptr));
}

inline double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
inline Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace base
