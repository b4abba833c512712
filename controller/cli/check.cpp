// SPDX-License-Identifier: Apache-2.0
#include "cli/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "config/load.hpp"
#include "control/command_check.hpp"
#include "control/host_check.hpp"

namespace cli {
namespace {

// What no configuration changes and every operator has to know once.
constexpr const char* kNotes =
    "note: XDP runs before nftables, rp_filter and tcpdump: firewall rules for a virtual server's ports do not apply,\n"
    "      and tcpdump on the director does not see what is forwarded\n"
    "note: connections from the director itself to a virtual address are not balanced\n";

std::string counted(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Of this host's programs and users, under the same reserve.
void print_command_notes(const model::Config& config) {
  for (const std::string& problem : control::command_problems(config)) {
    fmt::print("note: not to be run on this host: {}\n", problem);
  }
  if (control::root_by_default(config)) {
    fmt::print("note: scripts run as root: there is neither script_user nor a user keepalived_script\n");
  }
}

// Of this host's interfaces, as far as it has those of the configuration: it may not be the one that will run it.
void print_host_notes(const model::Config& config) {
  auto socket = netlink::Socket::open();
  if (!socket) return;
  const auto links = netlink::links(*socket);
  if (!links) return;
  control::Links by_index;
  for (const netlink::Link& link : *links) by_index[link.index] = link;
  const control::HostFindings findings =
      control::check_host(config, by_index, control::find_reach(*socket, config), false);
  for (const std::string& contradiction : findings.contradictions) {
    fmt::print("note: not to be run on this host: {}\n", contradiction);
  }
  for (const control::Finding& finding : findings.interfaces) {
    const char* what = finding.severity == control::Severity::refuse      ? "not to be run on this host: "
                       : finding.severity == control::Severity::no_native ? "perhaps no native XDP on this host: "
                                                                          : "on this host: ";
    fmt::print("note: {}{}\n", what, finding.str());
  }
}

}  // namespace

int check(const std::string& file) {
  const auto loaded = config::load_file(file);
  const auto& found = loaded ? loaded->warnings : loaded.error();
  for (const config::Diagnostic& diagnostic : found) fmt::print("{}\n", diagnostic.str());

  const auto warnings =
      static_cast<size_t>(std::ranges::count(found, config::Severity::warning, &config::Diagnostic::severity));
  const size_t errors = found.size() - warnings;
  if (loaded && !loaded->config.virtual_servers.empty()) fmt::print("{}", kNotes);
  if (loaded) print_host_notes(loaded->config);
  if (loaded) print_command_notes(loaded->config);
  std::string summary = loaded ? "OK" : counted(errors, "error");
  if (warnings > 0) summary += ", " + counted(warnings, "warning");
  fmt::print("{}: {}\n", file, summary);
  return loaded ? 0 : 1;
}

void add_check(CLI::App& app, int& exit_code) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("check", "Check a configuration file without running it");
  command->add_option("file", *file, "JSON configuration file")->required();
  command->callback([file, &exit_code] { exit_code = check(*file); });
}

}  // namespace cli
