// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value, or one sentence that says what failed, on what, and why.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <utility>

namespace base {

struct Error {
  std::string message;
};

template <typename T = void>
using Result = std::expected<T, Error>;

// Use: return base::fail("cannot open " + path);
inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

// The same with the meaning of an errno value: "cannot open /x: No such file or directory".
std::unexpected<Error> fail_errno(const std::string& what, int error = errno);

}  // namespace base
