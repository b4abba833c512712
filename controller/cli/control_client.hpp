// SPDX-License-Identifier: Apache-2.0
// Asks the running daemon over its control socket.
#pragma once

#include <string>

#include "base/result.hpp"

namespace cli {

base::Result<std::string> ask_daemon(const std::string& path);
base::Result<> tell_daemon(const std::string& path);  // POST; its refusal is the error

std::string path_segment(const std::string& text);  // what a URL cannot hold escaped

}  // namespace cli
