// SPDX-License-Identifier: Apache-2.0
#include "cli/real_server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "real_server/real_server.hpp"

namespace cli {
namespace {

using real_server::Finding;

int fail(const std::string& message) {
  fmt::print(stderr, "xdirector real-server: {}\n", message);
  return 1;
}

base::Result<std::set<base::Ip>> parse(const std::vector<std::string>& vips) {
  std::set<base::Ip> parsed;
  std::string wrong;
  for (const std::string& text : vips) {
    if (const auto vip = base::Ip::parse(text)) {
      parsed.insert(*vip);
    } else {
      wrong += fmt::format("{}\"{}\" is not an IP address like 192.168.100.111 or 2001:db8::111",
                           wrong.empty() ? "" : "\n", text);
    }
  }
  if (!wrong.empty()) return base::fail(wrong);
  return parsed;
}

// What every subcommand needs; opened only once the VIPs are known to be addresses.
struct Opened {
  std::set<base::Ip> vips;
  real_server::SystemHost host;
  real_server::StateFile state;
};

base::Result<Opened> open(const std::vector<std::string>& texts) {
  auto vips = parse(texts);
  if (!vips) return std::unexpected(vips.error());
  if (::geteuid() != 0) return base::fail("only root can do this; try sudo");
  auto state = real_server::StateFile::open();
  if (!state) return std::unexpected(state.error());
  auto host = real_server::SystemHost::open();
  if (!host) return std::unexpected(host.error());
  return Opened{.vips = std::move(*vips), .host = std::move(*host), .state = std::move(*state)};
}

using Command = base::Result<real_server::Lines>(real_server::Host&, const real_server::StateFile&,
                                                 const std::set<base::Ip>&);

int change(Command& command, const std::vector<std::string>& vips) {
  auto opened = open(vips);
  if (!opened) return fail(opened.error().message);
  const auto lines = command(opened->host, opened->state, opened->vips);
  if (!lines) return fail(lines.error().message);
  for (const std::string& line : *lines) fmt::print("{}\n", line);
  return 0;
}

struct Section {
  std::string title;
  std::vector<Finding> findings;
};

void print(const std::vector<Section>& sections) {
  for (const Section& section : sections) {
    fmt::print("{}\n", section.title);
    for (const Finding& finding : section.findings) {
      fmt::print("  {:<6} {}\n", finding.ok ? "ok" : "WRONG", finding.what);
      if (!finding.ok) fmt::print("         to do: {}\n", finding.remedy);
    }
  }
}

void print_json(const std::vector<Section>& sections) {
  nlohmann::json all = nlohmann::json::object();
  for (const Section& section : sections) {
    for (const Finding& finding : section.findings) {
      all[section.title].push_back({{"what", finding.what}, {"ok", finding.ok}, {"remedy", finding.remedy}});
    }
  }
  fmt::print("{}\n", all.dump(2));
}

// Without VIPs: those that were added.
int show(const std::vector<std::string>& vips, bool json) {
  auto opened = open(vips);
  if (!opened) return fail(opened.error().message);
  const auto saved = opened->state.read();
  if (!saved) return fail(saved.error().message);
  const auto network = opened->host.network();
  if (!network) return fail(network.error().message);
  if (vips.empty()) {
    for (const auto& [vip, mine] : saved->vips) opened->vips.insert(vip);
  }
  if (opened->vips.empty()) return fail("no VIP was added here; name one to see what it lacks");

  std::vector<Section> sections;
  for (const base::Ip& vip : opened->vips) {
    sections.push_back({vip.str(), real_server::examine_vip(*network, vip)});
  }
  const bool any_ipv4 = !std::ranges::all_of(opened->vips, &base::Ip::is_v6);
  if (any_ipv4) sections.push_back({"ARP", real_server::examine_settings(*network)});
  json ? print_json(sections) : print(sections);
  const bool ok = std::ranges::all_of(
      sections, [](const Section& section) { return std::ranges::all_of(section.findings, &Finding::ok); });
  return ok ? 0 : 1;
}

}  // namespace

void add_real_server_command(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::vector<std::string> vips;
    bool json = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("real-server", "Make this host a real server for virtual addresses");
  command->require_subcommand(1);

  CLI::App* add =
      command->add_subcommand("add", "VIP on lo, for IPv4 its route, arp_ignore and arp_announce, until reboot");
  add->add_option("VIP", arguments->vips, "Virtual addresses")->required();
  add->callback([arguments, &exit_code] { exit_code = change(real_server::add, arguments->vips); });

  CLI::App* remove = command->add_subcommand("remove", "Undo add: what was there before is there again");
  remove->add_option("VIP", arguments->vips, "Virtual addresses")->required();
  remove->callback([arguments, &exit_code] { exit_code = change(real_server::remove, arguments->vips); });

  CLI::App* showing = command->add_subcommand("show", "Whether everything is as it must be, and what to do if not");
  showing->add_option("VIP", arguments->vips, "Virtual addresses; none: those that were added");
  showing->add_flag("--json", arguments->json, "For machines");
  showing->callback([arguments, &exit_code] { exit_code = show(arguments->vips, arguments->json); });
}

}  // namespace cli
