// SPDX-License-Identifier: Apache-2.0
// xdirector detach: takes program and tables off without a daemon.
#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "control/daemon.hpp"

namespace cli {

void add_detach(CLI::App& app, int& exit_code) {
  CLI::App* detach =
      app.add_subcommand("detach", "Take the XDP program and its tables off; the daemon must not be running");
  detach->callback([&exit_code] {
    const base::Result<control::Detached> done = control::detach();
    if (!done) {
      fmt::print(stderr, "xdirector detach: {}\n", done.error().message);
      exit_code = 1;
      return;
    }
    for (const base::Ip& address : done->served_here) {
      fmt::print("{} is off lo: this machine is not one of its real servers any more\n", address.str());
    }
    fmt::print("{}\n", done->program ? "detached: packets go to the kernel again, all connections are forgotten"
                                     : "nothing was attached");
  });
}

}  // namespace cli
