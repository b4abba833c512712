// SPDX-License-Identifier: Apache-2.0
// xdirector real-server add|remove|show VIP...: makes this host a real server, undoes it, says what is amiss.
#pragma once

namespace CLI {
class App;
}

namespace cli {

// Adds the command with its three subcommands. When one of them is called it runs while `app` parses, and leaves its
// exit code: 0, or 1 with the reason on standard error (show: also when something is amiss).
void add_real_server_command(CLI::App& app, int& exit_code);

}  // namespace cli
