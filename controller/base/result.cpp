// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <system_error>

namespace base {

std::unexpected<Error> fail_errno(const std::string& what, int error) {
  return fail(what + ": " + std::generic_category().message(error));
}

}  // namespace base
