// SPDX-License-Identifier: Apache-2.0
// argv → role: the control plane (`run`), one of its workers, or a command that asks or sets something and ends.
//
//   configuration ─┐                          ┌─ BPF maps ─ packets
//   health worker ─┤                          │
//   neighbours ────┼─ control: desired tables ┴─ status
//   vrrp worker ───┘
#include <CLI/CLI.hpp>
#include <string>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/real_server.hpp"
#include "health/worker.hpp"
#include "vrrp/farewell.hpp"
#include "vrrp/worker.hpp"

namespace {

constexpr int kExitUsage = 2;

// `xdirector worker ROLE`: started by the control plane only, with its channel as descriptor 3.
void add_worker(CLI::App& app, int& exit_code) {
  static std::string role, level_name = "info";
  CLI::App* worker = app.add_subcommand("worker", "A child process of `run`")->group("");
  worker->add_option("role", role)->required()->check(CLI::IsMember({"vrrp", "health"}));
  worker->add_option("--log-level", level_name);
  worker->callback([&exit_code] {
    base::log::Level level = base::log::Level::info;
    base::log::parse_level(level_name, level);
    base::log::start(role, level);
    exit_code = role == "vrrp" ? vrrp::run_worker(level) : health::run_worker(level);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("xdirector: a load-balancing director for Linux");
  app.set_version_flag("--version", "xdirector " XDIRECTOR_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  cli::add_run(app, exit_code, vrrp::farewell);
  cli::add_check(app, exit_code);
  cli::add_status(app, exit_code);
  cli::add_connections(app, exit_code);
  cli::add_vrrp(app, exit_code);
  cli::add_detach(app, exit_code);
  cli::add_real_server_command(app, exit_code);
  add_worker(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;  // --help is an "error" of CLI11's, too
  }
  return exit_code;
}
