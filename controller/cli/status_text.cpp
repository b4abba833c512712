// SPDX-License-Identifier: Apache-2.0
#include "cli/status_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

namespace cli {
namespace {

using nlohmann::ordered_json;
using Json = ordered_json;

std::string clock_time(int64_t unix_seconds) {
  if (unix_seconds == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(unix_seconds)));
}

std::string text(const Json& json, const char* key) {
  return json.at(key).get<std::string>();
}
int64_t number(const Json& json, const char* key) {
  return json.at(key).get<int64_t>();
}

class Page {
 public:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    while (text_.ends_with(' ')) text_.pop_back();
    text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string attachment(const Json& interface) {
  if (const std::string carrier = text(interface, "carrier"); !carrier.empty()) return "by the program on " + carrier;
  if (text(interface, "mode").empty()) return "NOT ATTACHED";
  return text(interface, "mode") + " XDP" + (interface.at("multi_buffer").get<bool>() ? ", multi-buffer" : "");
}

void show_head(Page& page, const Json& status) {
  const int64_t now = number(status, "now");
  const std::string router_id = text(status, "router_id");
  page.line("xdirector {}{}{}, up {}; {} loaded {}", text(status, "version"), router_id.empty() ? "" : " ", router_id,
            short_age(now - number(status, "started")), text(status, "config_file"),
            clock_time(number(status, "config_loaded")));
  const Json& reload = status.at("last_reload");
  if (!reload.at("ok").get<bool>()) {
    page.line("RELOAD REFUSED {}: the configuration from before goes on", clock_time(number(reload, "at")));
    for (const Json& error : reload.at("errors")) page.line("  {}", error.get<std::string>());
  }
  for (const auto& [name, worker] : status.at("workers").items()) {
    if (number(worker, "pid") == 0) page.line("THE {} WORKER IS NOT RUNNING (it is started again)", name);
  }
  for (const Json& interface : status.at("interfaces")) {
    page.line("{}: {}", text(interface, "name"), attachment(interface));
    for (const Json& warning : interface.at("warnings")) page.line("  {}", warning.get<std::string>());
  }
  if (const Json& fence = status.at("fence"); text(fence, "state") != "complete") {
    page.line("fence: {}", text(fence, "state"));
    for (const Json& problem : fence.at("problems")) page.line("  {}", problem.get<std::string>());
  }
  for (const Json& peer : status.at("peer_directors")) {
    const std::string mac = text(peer, "mac");
    page.line("peer director {}: {}", text(peer, "address"), mac.empty() ? "MAC ADDRESS UNKNOWN" : mac);
  }
}

// "100", or where trackers have changed it "80/100".
std::string priority(const Json& instance) {
  const int64_t now = number(instance, "priority"), configured = number(instance, "configured_priority");
  return now == configured ? std::to_string(now) : fmt::format("{}/{}", now, configured);
}

void show_vrrp_problems(Page& page, const Json& status, const Json& instance) {
  for (const Json& problem : instance.at("problems")) {
    const std::string peer = text(problem, "peer");
    page.line("  PROBLEM {}{}: {} (for {})", text(problem, "kind"), peer.empty() ? "" : " with " + peer,
              text(problem, "text"), short_age(number(status, "now") - number(problem, "since")));
  }
  if (instance.at("released").get<bool>()) {
    page.line("  RELEASED: MASTER only if no other router is (`xdirector vrrp resume {}` ends that)",
              text(instance, "name"));
  }
}

void show_vrrp(Page& page, const Json& status) {
  if (status.at("vrrp_instances").empty()) return;
  page.line("");
  page.line("{:<16} {:<7} {:>8} {:>4}  {:<10} {:<8} {}", "VRRP instance", "state", "priority", "VRID", "interface",
            "since", "why");
  for (const Json& instance : status.at("vrrp_instances")) {
    const int64_t since = number(instance, "since");
    page.line("{:<16} {:<7} {:>8} {:>4}  {:<10} {:<8} {}", text(instance, "name"), text(instance, "state"),
              priority(instance), number(instance, "virtual_router_id"), text(instance, "interface"),
              since == 0 ? "-" : short_age(number(status, "now") - since), text(instance, "reason"));
    show_vrrp_problems(page, status, instance);
    for (const Json& address : instance.at("virtual_addresses")) {
      const bool fenced = address.at("fenced").get<bool>();
      page.line("  {:<14} {}", text(address, "address"),
                fenced ? address.at("served_here").get<bool>() ? "on lo, for this machine is one of its real servers"
                                                               : "not here: ARP requests for it are dropped"
                       : fmt::format("here, leased for {:.1f} s more", address.at("lease_seconds").get<double>()));
    }
    if (const std::string rejected = text(instance, "last_rejected"); !rejected.empty()) {
      page.line("  {} advertisements rejected, the last one: {}", number(instance, "adverts_rejected"), rejected);
    }
    if (const int64_t errors = number(instance, "send_errors"); errors > 0)
      page.line("  {} advertisements could not be sent", errors);
  }
}

void show_trackers(Page& page, const Json& status) {
  if (status.at("trackers").empty()) return;
  page.line("");
  page.line("{:<32} {:<8} {:<8} {}", "Tracker", "state", "since", "last result");
  for (const Json& tracker : status.at("trackers")) {
    const int64_t since = number(tracker, "since");
    const std::string state =
        tracker.contains("value") ? std::to_string(number(tracker, "value")) : text(tracker, "state");
    page.line("{:<32} {:<8} {:<8} {}", text(tracker, "kind") + " " + text(tracker, "name"), state,
              since == 0 ? "-" : short_age(number(status, "now") - since), text(tracker, "last_result"));
  }
}

// "other virtual routers on enp1s0: 51 by 192.168.100.9, 52 by 192.168.100.9"
void show_other_routers(Page& page, const Json& status) {
  std::map<std::string, std::string> by_interface;
  for (const Json& router : status.at("other_virtual_routers")) {
    std::string& line = by_interface[text(router, "interface")];
    line += fmt::format("{}{} by {}", line.empty() ? "" : ", ", number(router, "virtual_router_id"),
                        text(router, "sender"));
  }
  for (const auto& [interface, line] : by_interface) page.line("other virtual routers on {}: {}", interface, line);
}

// "192.168.100.34:80", "[2001:db8::34]:80"
std::string endpoint(const Json& json) {
  const std::string address = text(json, "address");
  return fmt::format(fmt::runtime(address.contains(':') ? "[{}]:{}" : "{}:{}"), address, number(json, "port"));
}

std::string service(const Json& server) {
  if (server.contains("fwmark")) {
    return fmt::format("{} fwmark {}{}", text(server, "protocol"), number(server, "fwmark"),
                       text(server, "family") == "IPv6" ? " IPv6" : "");
  }
  return fmt::format("{} {}", text(server, "protocol"), endpoint(server));
}

// Room for every real server's address and port; IPv4's at least.
size_t endpoint_width(const Json& status) {
  size_t width = std::string_view("192.168.100.111:65535").size();
  for (const Json& server : status.at("virtual_servers")) {
    for (const Json& real : server.at("real_servers")) width = std::max(width, endpoint(real).size());
  }
  for (const Json& real : status.at("draining")) width = std::max(width, endpoint(real).size());
  return width;
}

void show_traffic(Page& page, size_t width, const std::string& weight, const std::string& health, const Json& real) {
  if (!real.contains("packets")) {
    page.line("  -> {:<{}} {:>6} {}", endpoint(real), width, weight, health);
    return;
  }
  page.line("  -> {:<{}} {:>6} {:<15} {:>8} {:>8} {:>8} {:>8} {:>8}{}", endpoint(real), width, weight, health,
            short_number(real.at("active_connections")), short_number(real.at("inactive_connections")),
            short_number(real.at("connections")), short_number(real.at("packets")), short_number(real.at("bytes")),
            real.at("local").get<bool>() ? "  this machine"
            : text(real, "mac").empty()  ? "  MAC ADDRESS UNKNOWN"
                                         : "");
}

void show_real_server(Page& page, size_t width, const Json& status, const Json& real) {
  const std::string health = text(real, "health");
  show_traffic(page, width, std::to_string(number(real, "weight")), health, real);
  if (health == "down" || health == "unknown") {
    page.line("     {} ({} ago)", text(real, "last_check"),
              short_age(number(status, "now") - number(real, "last_check_at")));
  }
}

std::string persistence(const Json& server) {
  const double timeout = server.at("persistence_timeout").get<double>();
  if (timeout <= 0) return {};
  const int64_t prefix = number(server, "persistence_granularity");
  const bool whole = prefix == (text(server, "family") == "IPv6" ? 128 : 32);
  return fmt::format(" persistent {:g} s{}", timeout, whole ? "" : fmt::format(" by /{}", prefix));
}

// "wrr", "mh mh-port", "rr ops"
std::string scheduler(const Json& server) {
  const std::string algorithm = text(server, "lb_algo");
  return algorithm + (server.at("hash_port").get<bool>() ? " " + algorithm + "-port" : "") +
         (server.at("ops").get<bool>() ? " ops" : "");
}

void show_virtual_servers(Page& page, const Json& status) {
  const size_t width = endpoint_width(status);
  page.line("");
  page.line("Virtual server");
  page.line("  -> {:<{}} {:>6} {:<15} {:>8} {:>8} {:>8} {:>8} {:>8}", "Real server", width, "weight", "health",
            "active", "inactive", "opened", "packets", "bytes");
  for (const Json& server : status.at("virtual_servers")) {
    page.line("{} \"{}\" {} {}{}", service(server), text(server, "name"), scheduler(server), text(server, "lb_kind"),
              persistence(server));
    for (const Json& real : server.at("real_servers")) show_real_server(page, width, status, real);
  }
  if (status.at("draining").empty()) return;
  page.line("Removed, kept until their connections have ended:");
  for (const Json& real : status.at("draining")) {
    show_traffic(page, width, "-", "draining", real);
    page.line("     of {}", text(real, "virtual_server"));
  }
}

// Only what happened: most verdicts are zero on most days.
void show_verdicts(Page& page, const Json& status) {
  page.line("");
  page.line("Packets by verdict (docs/verdicts.md):");
  for (const auto& [name, count] : status.at("verdicts").items()) {
    if (count.get<uint64_t>() > 0) page.line("  {:<24} {:>12}", name, count.get<uint64_t>());
  }
}

}  // namespace

std::string short_number(uint64_t number) {
  constexpr std::array<const char*, 6> kUnits{"K", "M", "G", "T", "P", "E"};
  if (number < 10'000) return std::to_string(number);
  double value = static_cast<double>(number) / 1000;
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f}{}", value, kUnits.at(unit));
}

std::string short_age(int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", std::max<int64_t>(seconds, 0));
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

base::Result<std::string> status_text(const std::string& json) {
  try {
    const Json status = Json::parse(json);
    Page page;
    show_head(page, status);
    show_vrrp(page, status);
    show_trackers(page, status);
    show_other_routers(page, status);
    show_virtual_servers(page, status);
    show_verdicts(page, status);
    return page.take();
  } catch (const nlohmann::json::exception& error) {
    return base::fail(fmt::format("the daemon's answer is not of this version: {}", error.what()));
  }
}

}  // namespace cli
