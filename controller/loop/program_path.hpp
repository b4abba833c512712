// SPDX-License-Identifier: Apache-2.0
// May a program be run with somebody's rights, or could somebody else have put it there?
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

namespace loop {

// Every directory on the way to `path`, every symbolic link on it with the way to its target, and the file itself must
// belong to root or `user`, and nobody else may write to it (a directory with the sticky bit, such as /tmp, may be
// written to by all). The error names what is wrong and the command that mends it. Looks with the rights of the caller.
//
// Who passes can be run by its path: nobody but root and `user` can change what the path leads to.
base::Result<> check_program_path(const std::string& path, uid_t user);

}  // namespace loop
