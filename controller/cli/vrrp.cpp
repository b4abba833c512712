// SPDX-License-Identifier: Apache-2.0
// xdirector vrrp release|resume INSTANCE: a planned handover, and its end.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"

namespace cli {
namespace {

using nlohmann::json;

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr auto kLongest = std::chrono::seconds(45);  // a skew of version 3 is 41 s at most

base::Result<json> instance_status(const std::string& name) {
  const auto text = ask_daemon("/status");
  if (!text) return std::unexpected(text.error());
  const json status = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (status.is_object() && status.contains("vrrp_instances")) {
    for (const json& instance : status["vrrp_instances"]) {
      if (instance.value("name", "") == name) return instance;
    }
  }
  return base::fail("the daemon does not know " + name + " any more");
}

base::Result<std::string> told(const std::string& name) {
  const auto instance = instance_status(name);
  if (!instance) return std::unexpected(instance.error());
  const std::string master = instance->value("master", "");
  return fmt::format(
      "{}: {}: {}{}{}", name, instance->value("state", ""), instance->value("reason", ""),
      master.empty() ? "" : "; MASTER is " + master,
      instance->value("released", false)
          ? "\nreleased: takes over only when no other router is MASTER, until `xdirector vrrp resume " + name + "`"
          : "");
}

base::Result<std::string> release(const std::string& name) {
  const auto done = tell_daemon("/vrrp/" + path_segment(name) + "/release");
  if (!done) return std::unexpected(done.error());
  const auto until = std::chrono::steady_clock::now() + kLongest;
  while (std::chrono::steady_clock::now() < until) {
    const auto instance = instance_status(name);
    if (!instance) return std::unexpected(instance.error());
    if (instance->value("released", false) && instance->value("state", "") != "MASTER") return told(name);
    std::this_thread::sleep_for(kLook);
  }
  return base::fail(name + " is still MASTER: see `xdirector status`");
}

base::Result<std::string> resume(const std::string& name) {
  const auto done = tell_daemon("/vrrp/" + path_segment(name) + "/resume");
  if (!done) return std::unexpected(done.error());
  return told(name);
}

}  // namespace

void add_vrrp(CLI::App& app, int& exit_code) {
  using Action = base::Result<std::string> (*)(const std::string&);
  CLI::App* vrrp = app.add_subcommand("vrrp", "Hand over a VRRP instance, and take it back");
  vrrp->require_subcommand(1);
  const auto add = [&](const char* word, const char* what, Action action) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = vrrp->add_subcommand(word, what);
    command->add_option("instance", *name, "Its name; its sync group goes with it")->required();
    command->callback([name, action, word, &exit_code] {
      const auto text = action(*name);
      if (!text) {
        fmt::print(stderr, "xdirector vrrp {}: {}\n", word, text.error().message);
        exit_code = 1;
        return;
      }
      fmt::print("{}\n", *text);
    });
  };
  add("release", "Hand the addresses to another router without a gap, and leave them there", release);
  add("resume", "Be a candidate again, with the configured priority", resume);
}

}  // namespace cli
