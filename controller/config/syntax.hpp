// SPDX-License-Identifier: Apache-2.0
// Says in words what is wrong with a JSON text at the place where the parser gave up.
#pragma once

#include <string>
#include <string_view>

namespace config {

// What the parser has understood last.
enum class After { nothing, object_begin, key, object_value, list_begin, list_value, document };

struct Explanation {
  size_t offset = 0;  // of what is wrong
  std::string message;
};

// `end` is where the last understood token ends. `innermost` says which object or list is open ("the { of line 3"),
// empty: none. `secret`: the value that is wrong may be a password, do not quote it.
Explanation explain(std::string_view text, size_t end, After after, std::string_view innermost, bool secret);

}  // namespace config
