// SPDX-License-Identifier: Apache-2.0
// The number in a tracked file, read as keepalived reads it. Pure.
#pragma once

#include <string>

namespace control {

// Decimal, 0x or 0 before it as in C, blanks before it, anything after it. No number: 0. Far beyond what a priority can
// feel it is held to ±kLargestFileNumber.
constexpr int kLargestFileNumber = 1'000'000;
int file_number(const std::string& text);

}  // namespace control
