// SPDX-License-Identifier: Apache-2.0
#include "control/file_number.hpp"

#include <algorithm>
#include <cstdlib>

namespace control {

int file_number(const std::string& text) {
  const long long value = std::strtoll(text.c_str(), nullptr, 0);  // at its own limits it stays there
  return static_cast<int>(std::clamp<long long>(value, -kLargestFileNumber, kLargestFileNumber));
}

}  // namespace control
