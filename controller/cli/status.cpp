// SPDX-License-Identifier: Apache-2.0
// xdirector status: asks the daemon over its control socket and prints what it says.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/status_text.hpp"

namespace cli {

void add_status(CLI::App& app, int& exit_code) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* status =
      app.add_subcommand("status", "Show VRRP instances, virtual servers and real servers of the running daemon");
  status->add_flag("--json", *as_json, "The whole document, for programs");
  status->callback([as_json, &exit_code] {
    const base::Result<std::string> text = ask_daemon("/status");
    const base::Result<std::string> shown = !text || *as_json ? text : status_text(*text);
    if (!shown) {
      fmt::print(stderr, "xdirector status: {}\n", shown.error().message);
      exit_code = 1;
      return;
    }
    fmt::print("{}", *shown);
  });
}

}  // namespace cli
