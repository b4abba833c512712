// SPDX-License-Identifier: Apache-2.0
// The subcommands: each add_*() declares its words and options, and sets `exit_code` when it has run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/result.hpp"
#include "ipc/messages.hpp"

namespace cli {

using Farewell = std::function<base::Result<>(const std::vector<ipc::VrrpAssignment>&)>;

void add_run(CLI::App& app, int& exit_code, const Farewell& farewell);
void add_check(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_connections(CLI::App& app, int& exit_code);
void add_vrrp(CLI::App& app, int& exit_code);
void add_detach(CLI::App& app, int& exit_code);

}  // namespace cli
