// SPDX-License-Identifier: Apache-2.0
// The status document for people: what `ipvsadm -Ln` and `ip address` would have shown together. Pure.
#pragma once

#include <string>

#include "base/result.hpp"

namespace cli {

base::Result<std::string> status_text(const std::string& json);

// "850", "12.3K", "4.0M" ..., powers of 1000.
std::string short_number(uint64_t number);
// "41 s", "12 min", "3 h", "8 d".
std::string short_age(int64_t seconds);

}  // namespace cli
