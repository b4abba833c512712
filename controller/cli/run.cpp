// SPDX-License-Identifier: Apache-2.0
// xdirector run: the daemon, in the foreground.
#include <memory>

#include "cli/commands.hpp"
#include "control/daemon.hpp"

namespace cli {
namespace {

struct Words {
  std::string config_file, log_level = "info", xdp_mode;
  bool keep_forwarding = false;
};

control::Options to_options(const Words& words, const Farewell& farewell) {
  control::Options options;
  options.config_file = words.config_file;
  base::log::parse_level(words.log_level, options.log_level);
  if (words.xdp_mode == "native") options.xdp_mode = dataplane::Mode::native;
  if (words.xdp_mode == "generic") options.xdp_mode = dataplane::Mode::generic;
  options.keep_forwarding = words.keep_forwarding;
  options.farewell = farewell;
  return options;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code, const Farewell& farewell) {
  auto words = std::make_shared<Words>();
  CLI::App* run = app.add_subcommand("run", "Run the director in the foreground; SIGHUP reloads, SIGTERM stops");
  run->add_option("--config", words->config_file, "JSON configuration file")->required();
  run->add_option("--log-level", words->log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  run->add_option("--xdp-mode", words->xdp_mode,
                  "native or generic; without it native, generic where the driver has no native XDP")
      ->check(CLI::IsMember({"native", "generic"}));
  run->add_flag("--keep-forwarding", words->keep_forwarding,
                "Leave the program and its tables in the kernel when stopping (for restarts and upgrades)");
  run->callback([words, &exit_code, farewell] {
    const control::Options options = to_options(*words, farewell);
    base::log::start("xdirector", options.log_level);
    exit_code = control::run(options);
  });
}

}  // namespace cli
