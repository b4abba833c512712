// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <system_error>

#include "base/fd.hpp"
#include "config/sections.hpp"
#include "config/validate.hpp"
#include "xdirector/limits.h"

namespace config {
namespace {

// The number of entries of a table that the program writes.
struct TableSlots {
  static constexpr Whole kWhole{XD_MIN_BUCKETS * XD_WAYS, int64_t{XD_MAX_BUCKETS} * XD_WAYS};

  std::string allowed() const { return kWhole.allowed() + " that is a power of two"; }
  std::optional<int64_t> operator()(const Value& value) const {
    const std::optional<int64_t> slots = kWhole(value);
    if (!slots || std::has_single_bit(static_cast<uint64_t>(*slots))) return slots;
    const int64_t below = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(*slots)));
    const int64_t nearest = *slots - below <= 2 * below - *slots ? below : 2 * below;
    value.wrong(fmt::format("{} is not a power of two; the nearest is {}", *slots, nearest));
    return std::nullopt;
  }
};

// In this order: what comes later uses what was before.
void read_vrrp(Object& object, model::Config& config) {
  const VrrpGlobals globals = vrrp_globals(object);
  const ScriptUser& user = globals.script_user;
  config.notify_fifo = notify_fifo(object);
  Trackables trackables;
  config.track_scripts =
      object.list("vrrp_scripts", [&](const Value& element) { return track_script(element, user, trackables); });
  config.track_files =
      object.list("vrrp_track_files", [&](const Value& element) { return track_file(element, trackables); });
  config.track_processes =
      object.list("vrrp_track_processes", [&](const Value& element) { return track_process(element, trackables); });
  config.vrrp_instances =
      object.list("vrrp_instances", [&](const Value& element) { return vrrp_instance(element, globals, trackables); });
  config.sync_groups = object.list("vrrp_sync_groups", [&](const Value& element) {
    return sync_group(element, user, trackables, config.vrrp_instances);
  });
}

model::Config read_config(const Value& root) {
  Object object(root);
  model::Config config;
  config.router_id = object.optional<std::string>("router_id", kName, "");
  config.connection_slots = object.optional<uint32_t>("connection_slots", TableSlots(), XD_DEFAULT_BUCKETS * XD_WAYS);
  config.connection_slots_ipv6 =
      object.optional<uint32_t>("connection_slots_ipv6", TableSlots(), XD_DEFAULT_BUCKETS6 * XD_WAYS);
  config.persistence_slots =
      object.optional<uint32_t>("persistence_slots", TableSlots(), XD_TEMPLATE_BUCKETS * XD_WAYS);
  const Timeouts timeouts = lvs_timeouts(object, Timeouts());
  config.interfaces =
      object.list("interfaces", [](const Value& element) { return InterfaceName()(element).value_or(std::string()); });
  config.peer_directors =
      object.list("peer_directors", [](const Value& element) { return HostAddress()(element).value_or(base::Ip()); });
  read_vrrp(object, config);
  config.port_marks = object.list("port_marks", port_mark);
  config.virtual_servers = object.list(
      "virtual_servers", [&](const Value& element) { return virtual_server(element, timeouts, config.port_marks); });
  object.close();
  return config;
}

std::unexpected<std::vector<Diagnostic>> only(Diagnostic diagnostic) {
  return std::unexpected(std::vector{std::move(diagnostic)});
}

}  // namespace

std::expected<Loaded, std::vector<Diagnostic>> load(std::string_view text, const std::string& file_name) {
  const auto root = parse(text);
  if (!root) return only({Severity::error, file_name, root.error().position, "", root.error().message});

  Problems problems(file_name);
  model::Config config = read_config(Value{*root, "", problems});
  if (root->kind == Node::Kind::object) {
    for (Finding& finding : contradictions(config)) {
      problems.add(Severity::error, locate(*root, finding.path), finding.path, std::move(finding.message));
    }
    for (Finding& finding : doubts(config)) {
      if (problems.has_error_around(finding.path)) continue;  // it may be no more than what follows from that
      problems.add(Severity::warning, locate(*root, finding.path), finding.path, std::move(finding.message));
    }
  }
  std::vector<Diagnostic> found = problems.take();
  if (!found.empty() && found.front().severity == Severity::error) return std::unexpected(std::move(found));
  return Loaded{std::move(config), std::move(found)};
}

std::expected<Loaded, std::vector<Diagnostic>> load_file(const std::string& path) {
  const auto unreadable = [&](int error) {
    return only({Severity::error, path, {0, 0}, "", "cannot read: " + std::generic_category().message(error)});
  };
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return unreadable(errno);
  std::string text;
  std::array<char, 1 << 16> chunk{};
  while (text.size() <= kLongestText) {
    const ssize_t length = ::read(fd.get(), chunk.data(), chunk.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return unreadable(errno);
    if (length == 0) break;
    text.append(chunk.data(), static_cast<size_t>(length));
  }
  return load(text, path);
}

}  // namespace config
