// SPDX-License-Identifier: Apache-2.0
// Messages ↔ JSON. The fields of every type are listed once, by fields(); an encoder and a strict decoder walk the
// list, so that they cannot disagree.
#include "ipc/messages.hpp"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace ipc {
namespace {

using nlohmann::json;

template <typename T, typename Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

// --- The words of enumerations, by value ---

constexpr std::array<std::string_view, 4> kVrrpStates{"INIT", "BACKUP", "MASTER", "FAULT"};
constexpr std::array<std::string_view, 2> kInitialStates{"MASTER", "BACKUP"};
constexpr std::array<std::string_view, 4> kTrackerKinds{"interface", "script", "file", "process"};
constexpr std::array<std::string_view, 2> kChecksums{"pseudo-header", "message-only"};
constexpr std::array<std::string_view, 2> kAddressLost{"restore", "fault"};

constexpr const auto& words(VrrpState) {
  return kVrrpStates;
}
constexpr const auto& words(model::InitialState) {
  return kInitialStates;
}
constexpr const auto& words(model::TrackerKind) {
  return kTrackerKinds;
}
constexpr const auto& words(model::Checksum) {
  return kChecksums;
}
constexpr const auto& words(model::AddressLost) {
  return kAddressLost;
}

// --- The fields of every type ---

template <typename Walk, Is<model::VirtualAddress> T>
void fields(Walk& walk, T& address) {
  walk("ip", address.ip);
  walk("prefix_length", address.prefix_length);
  walk("device", address.device);
  walk("label", address.label);
  walk("broadcast", address.broadcast);
  walk("scope", address.scope);
}

template <typename Walk, Is<model::VirtualRoute> T>
void fields(Walk& walk, T& route) {
  walk("destination", route.destination);
  walk("prefix_length", route.prefix_length);
  walk("via", route.via);
  walk("source", route.source);
  walk("device", route.device);
  walk("table", route.table);
  walk("metric", route.metric);
  walk("scope", route.scope);
  walk("on_link", route.on_link);
}

template <typename Walk, Is<model::Announcements> T>
void fields(Walk& walk, T& announcements) {
  walk("repeat", announcements.repeat);
  walk("delay", announcements.delay);
  walk("refresh", announcements.refresh);
  walk("refresh_repeat", announcements.refresh_repeat);
  walk("lower_priority_repeat", announcements.lower_priority_repeat);
  walk("arp_interval", announcements.arp_interval);
  walk("nd_interval", announcements.nd_interval);
}

template <typename Walk, Is<model::Tracked> T>
void fields(Walk& walk, T& tracked) {
  walk("kind", tracked.kind);
  walk("name", tracked.name);
  walk("weight", tracked.weight);
  walk("reverse", tracked.reverse);
}

template <typename Walk, Is<model::UnicastPeer> T>
void fields(Walk& walk, T& peer) {
  walk("address", peer.address);
  walk("min_ttl", peer.min_ttl);
  walk("max_ttl", peer.max_ttl);
}

template <typename Walk, Is<model::VrrpInstance> T>
void fields(Walk& walk, T& instance) {
  walk("name", instance.name);
  walk("state", instance.state);
  walk("interface", instance.interface);
  walk("virtual_router_id", instance.virtual_router_id);
  walk("version", instance.version);
  walk("priority", instance.priority);
  walk("advert_int", instance.advert_int);
  walk("nopreempt", instance.nopreempt);
  walk("preempt_delay", instance.preempt_delay);
  walk("startup_delay", instance.startup_delay);
  walk("down_timer_adverts", instance.down_timer_adverts);
  walk("longest_advert_int", instance.longest_advert_int);
  walk("checksum", instance.checksum);
  walk("source", instance.source);
  walk("auth_pass", instance.auth_pass);
  walk("unicast_peers", instance.unicast_peers);
  walk("unicast_ttl", instance.unicast_ttl);
  walk("strict_address_list", instance.strict_address_list);
  walk("check_source_network", instance.check_source_network);
  walk("farewell", instance.farewell);
  walk("address_lost", instance.address_lost);
  walk("use_vmac", instance.use_vmac);
  walk("vmac_name", instance.vmac_name);
  walk("vmac_base", instance.vmac_base);
  walk("promote_secondaries", instance.promote_secondaries);
  walk("track_primary", instance.track_primary);
  walk("announcements", instance.announcements);
  walk("tracked", instance.tracked);
  walk("virtual_addresses", instance.virtual_addresses);
  walk("excluded_addresses", instance.excluded_addresses);
  walk("virtual_routes", instance.virtual_routes);
}

template <typename Walk, Is<VrrpAssignment> T>
void fields(Walk& walk, T& assignment) {
  walk("instance", assignment.instance);
  walk("lease", assignment.lease);
  walk("served_here", assignment.served_here);
}

template <typename Walk, Is<VrrpGroup> T>
void fields(Walk& walk, T& group) {
  walk("name", group.name);
  walk("instances", group.instances);
}

template <typename Walk, Is<ConfigureVrrp> T>
void fields(Walk& walk, T& message) {
  walk("instances", message.instances);
  walk("groups", message.groups);
}

template <typename Walk, Is<TrackerState> T>
void fields(Walk& walk, T& tracker) {
  walk("kind", tracker.kind);
  walk("name", tracker.name);
  walk("known", tracker.known);
  walk("up", tracker.up);
  walk("value", tracker.value);
}

template <typename Walk, Is<TrackerStates> T>
void fields(Walk& walk, T& message) {
  walk("trackers", message.trackers);
}

template <typename Walk, typename T>
  requires Is<T, Release> || Is<T, Resume>
void fields(Walk& walk, T& message) {
  walk("instance", message.instance);
}

template <typename Walk, Is<model::TcpCheck> T>
void fields(Walk& walk, T& check) {
  walk("connect_timeout", check.connect_timeout);
  walk("retry", check.retry);
  walk("delay_before_retry", check.delay_before_retry);
  walk("connect_port", check.connect_port);
}

template <typename Walk, Is<HealthTarget> T>
void fields(Walk& walk, T& target) {
  walk("id", target.id);
  walk("virtual_server", target.virtual_server);
  walk("address", target.address);
  walk("port", target.port);
  walk("delay_loop", target.delay_loop);
  walk("checks", target.checks);
  walk("up", target.up);
}

template <typename Walk, Is<ConfigureHealth> T>
void fields(Walk& walk, T& message) {
  walk("targets", message.targets);
}

template <typename Walk, Is<Stop> T>
void fields(Walk&, T&) {}

template <typename Walk, Is<Heartbeat> T>
void fields(Walk& walk, T& message) {
  walk("at", message.at);
}

template <typename Walk, Is<VrrpProblem> T>
void fields(Walk& walk, T& problem) {
  walk("kind", problem.kind);
  walk("peer", problem.peer);
  walk("text", problem.text);
  walk("since_unix", problem.since_unix);
}

template <typename Walk, Is<VrrpReport> T>
void fields(Walk& walk, T& report) {
  walk("instance", report.instance);
  walk("state", report.state);
  walk("reason", report.reason);
  walk("since_unix", report.since_unix);
  walk("priority", report.priority);
  walk("master", report.master);
  walk("released", report.released);
  walk("problems", report.problems);
  walk("adverts_sent", report.adverts_sent);
  walk("adverts_received", report.adverts_received);
  walk("adverts_rejected", report.adverts_rejected);
  walk("send_errors", report.send_errors);
  walk("last_rejected", report.last_rejected);
}

template <typename Walk, Is<HealthReport> T>
void fields(Walk& walk, T& report) {
  walk("id", report.id);
  walk("up", report.up);
  walk("unknown", report.unknown);
  walk("outcome", report.outcome);
  walk("at_unix", report.at_unix);
}

// By the order of Message's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<Message>> kTypes{
    "configure_vrrp", "configure_health", "tracker_states", "release",      "resume",
    "stop",           "heartbeat",        "vrrp_report",    "health_report"};

// --- Encoding ---

class Encoder {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    object_[name] = to_json(value);
  }
  json take() { return std::move(object_); }

 private:
  static json to_json(bool value) { return value; }
  static json to_json(std::integral auto value) { return value; }
  static json to_json(const std::string& value) { return value; }
  static json to_json(base::Ipv4 value) { return value.str(); }
  static json to_json(const base::Ip& value) { return value.str(); }
  static json to_json(base::Duration value) { return value.count(); }
  static json to_json(base::Time value) { return value.ns; }

  template <typename T>
    requires std::is_enum_v<T>
  static json to_json(T value) {
    return words(value).at(static_cast<size_t>(value));
  }
  template <typename T>
  static json to_json(const std::optional<T>& value) {
    return value ? to_json(*value) : json();
  }
  template <typename T>
  static json to_json(const std::vector<T>& values) {
    json array = json::array();
    for (const T& value : values) array.push_back(to_json(value));
    return array;
  }
  template <typename T>
    requires std::is_class_v<T>
  static json to_json(const T& value) {
    Encoder encoder;
    fields(encoder, value);
    return encoder.take();
  }

  json object_ = json::object();
};

// --- Decoding: the first thing that is wrong ends it ---

class Decoder {
 public:
  // `error` is shared by all decoders of one message; empty as long as nothing was wrong.
  Decoder(const json& object, std::string path, std::string& error)
      : object_(object), path_(std::move(path)), error_(error) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    if (!error_.empty()) return;
    const std::string path = path_.empty() ? name : path_ + "." + name;
    const auto found = object_.find(name);
    if (found == object_.end()) {
      error_ = path + " is missing";
      return;
    }
    ++known_;
    read(*found, path, value);
  }

  void refuse_unknown_fields() {
    if (error_.empty() && known_ != object_.size())
      error_ = (path_.empty() ? "message" : path_) + " has unknown fields";
  }

 private:
  void wrong(const std::string& path, std::string_view expected) {
    error_ = fmt::format("{} is not {}", path, expected);
  }

  void read(const json& from, const std::string& path, bool& value) {
    if (!from.is_boolean()) return wrong(path, "true or false");
    value = from.get<bool>();
  }
  template <std::integral T>
  void read(const json& from, const std::string& path, T& value) {
    if (from.is_number_unsigned() && std::in_range<T>(from.get<uint64_t>())) {
      value = static_cast<T>(from.get<uint64_t>());
    } else if (from.is_number_integer() && !from.is_number_unsigned() && std::in_range<T>(from.get<int64_t>())) {
      value = static_cast<T>(from.get<int64_t>());
    } else {
      wrong(path, fmt::format("a whole number of {} bits", 8 * sizeof(T)));
    }
  }
  void read(const json& from, const std::string& path, std::string& value) {
    if (!from.is_string()) return wrong(path, "a text");
    value = from.get<std::string>();
  }
  template <typename Address>
  void read_address(const json& from, const std::string& path, Address& value, std::string_view expected) {
    const auto address = from.is_string() ? Address::parse(from.get<std::string>()) : std::nullopt;
    if (!address) return wrong(path, expected);
    value = *address;
  }
  void read(const json& from, const std::string& path, base::Ipv4& value) {
    read_address(from, path, value, "an IPv4 address");
  }
  void read(const json& from, const std::string& path, base::Ip& value) {
    read_address(from, path, value, "an IP address");
  }
  void read(const json& from, const std::string& path, base::Duration& value) {
    int64_t ns = 0;
    read(from, path, ns);
    value = base::Duration(ns);
  }
  void read(const json& from, const std::string& path, base::Time& value) { read(from, path, value.ns); }

  template <typename T>
    requires std::is_enum_v<T>
  void read(const json& from, const std::string& path, T& value) {
    const std::string word = from.is_string() ? from.get<std::string>() : "";
    for (size_t i = 0; i < words(T{}).size(); ++i) {
      if (words(T{}).at(i) == word) {
        value = static_cast<T>(i);
        return;
      }
    }
    wrong(path, "a known word");
  }
  template <typename T>
  void read(const json& from, const std::string& path, std::vector<T>& values) {
    if (!from.is_array()) return wrong(path, "a list");
    values.clear();
    for (const json& element : from) {
      const std::string element_path = fmt::format("{}[{}]", path, values.size());
      read(element, element_path, values.emplace_back());
      if (!error_.empty()) return;
    }
  }
  template <typename T>
  void read(const json& from, const std::string& path, std::optional<T>& value) {
    value.reset();
    if (!from.is_null()) read(from, path, value.emplace());
  }
  template <typename T>
    requires std::is_class_v<T>
  void read(const json& from, const std::string& path, T& value) {
    if (!from.is_object()) return wrong(path, "an object");
    Decoder decoder(from, path, error_);
    fields(decoder, value);
    decoder.refuse_unknown_fields();
  }

  const json& object_;
  std::string path_;
  std::string& error_;
  size_t known_ = 0;
};

// What the types alone do not promise.
std::string contradiction(const Message& message) {
  if (const auto* vrrp = std::get_if<ConfigureVrrp>(&message)) {
    for (const VrrpAssignment& assignment : vrrp->instances) {
      if (assignment.lease.size() != assignment.instance.all_addresses().size()) {
        return "instance " + assignment.instance.name + " has not one lease for each virtual address";
      }
    }
  }
  return {};
}

// The alternative of Message called `type`, with default values.
template <size_t... Index>
std::optional<Message> empty_message(std::string_view type, std::index_sequence<Index...>) {
  std::optional<Message> message;
  ((kTypes.at(Index) == type ? void(message.emplace(std::in_place_index<Index>)) : void()), ...);
  return message;
}

}  // namespace

std::string_view name(VrrpState state) {
  return kVrrpStates.at(static_cast<size_t>(state));
}

std::string encode(const Message& message) {
  Encoder encoder;
  encoder("type", std::string(kTypes.at(message.index())));
  std::visit([&](const auto& alternative) { fields(encoder, alternative); }, message);
  // A text that is not UTF-8 (an outcome may quote a peer) must not end the process: bad bytes become U+FFFD.
  return encoder.take().dump(-1, ' ', false, json::error_handler_t::replace);
}

base::Result<Message> decode(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return base::fail("message is not a JSON object");
  std::string error;
  Decoder decoder(object, "", error);
  std::string type;
  decoder("type", type);
  if (!error.empty()) return base::fail(error);
  auto message = empty_message(type, std::make_index_sequence<std::variant_size_v<Message>>());
  if (!message) return base::fail("unknown message type \"" + type + "\"");
  std::visit([&](auto& alternative) { fields(decoder, alternative); }, *message);
  decoder.refuse_unknown_fields();
  if (error.empty()) error = contradiction(*message);
  if (!error.empty()) return base::fail(type + ": " + error);
  return std::move(*message);
}

}  // namespace ipc
