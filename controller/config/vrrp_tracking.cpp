// SPDX-License-Identifier: Apache-2.0
// What makes a router worth less: the definitions (`vrrp_scripts`, `vrrp_track_files`, `vrrp_track_processes`) and
// their uses.
#include <fmt/format.h>

#include <array>

#include "config/inline_text.hpp"
#include "config/sections.hpp"

namespace config {
namespace {

constexpr Whole kWeight{-254, 254};

// `weight` and `reverse` of a definition or of a use.
Weight read_weight(Object& object, const Weight& otherwise) {
  return {.weight = object.optional<int>("weight", kWeight, otherwise.weight),
          .reverse = object.optional<bool>("reverse", Flag(), otherwise.reverse)};
}

// keepalived's "weight 5 reverse" has a switch to turn it off again.
constexpr auto kUseWords = std::to_array<InlineWord>({
    {"weight", "weight", InlineWord::Means::number},
    {"reverse", "reverse", InlineWord::Means::yes},
    {"noreverse", "reverse", InlineWord::Means::no},
    {"no_reverse", "reverse", InlineWord::Means::no},
});

struct Kind {
  model::TrackerKind kind;
  std::string_view key;
  std::string_view definitions;  // empty: it is not defined, it is there
  std::string_view example;
};
constexpr auto kKinds = std::to_array<Kind>({
    {model::TrackerKind::interface, "track_interface", "", "eth1 weight -10"},
    {model::TrackerKind::script, "track_script", "vrrp_scripts", "chk_http weight -10"},
    {model::TrackerKind::file, "track_file", "vrrp_track_files", "maintenance weight -10"},
    {model::TrackerKind::process, "track_process", "vrrp_track_processes", "haproxy weight -10"},
});

// What is defined under the name of this use; a definition whose name could not be read may be it.
Weight defined(Object& object, const Kind& kind, const std::string& name, const Trackables& trackables) {
  const auto of_kind = trackables.weights.find(kind.kind);
  if (kind.definitions.empty() || name.empty()) return {};
  if (of_kind != trackables.weights.end()) {
    if (const auto found = of_kind->second.find(name); found != of_kind->second.end()) return found->second;
    if (of_kind->second.contains("")) return {};
  }
  object.value().wrong(fmt::format("no entry of \"{}\" has the name {}", kind.definitions, quoted(name)));
  return {};
}

model::Tracked use(const Value& value, const Kind& kind, const Trackables& trackables) {
  Object object(value);
  model::Tracked tracked{.kind = kind.kind};
  if (kind.kind == model::TrackerKind::interface) {
    tracked.name = object.required<std::string>("name", InterfaceName());
  } else {
    tracked.name = object.required<std::string>("name", kName);
  }
  const Weight weight = read_weight(object, defined(object, kind, tracked.name, trackables));
  tracked.weight = weight.weight;
  tracked.reverse = weight.reverse;
  object.close();
  return tracked;
}

constexpr Seconds kInterval{0.1, 86400};

}  // namespace

model::TrackScript track_script(const Value& value, const ScriptUser& otherwise, Trackables& trackables) {
  Object object(value);
  model::TrackScript script;
  script.name = object.required<std::string>("name", kName);
  script.command.arguments = object.required<std::vector<std::string>>("script", CommandLine());
  const ScriptUser user = object.optional<ScriptUser>("user", UserAndGroup(), otherwise);
  script.command.user = user.user;
  script.command.group = user.group;
  script.interval = object.optional<base::Duration>("interval", kInterval, std::chrono::seconds(1));
  script.timeout = object.optional<base::Duration>("timeout", kInterval, script.interval);
  script.rise = object.optional<int>("rise", Whole{1, 10000}, 1);
  script.fall = object.optional<int>("fall", Whole{1, 10000}, 1);
  script.init_fail = object.optional<bool>("init_fail", Flag(), false);
  trackables.weights[model::TrackerKind::script][script.name] = read_weight(object, {});
  object.close();
  return script;
}

model::TrackFile track_file(const Value& value, Trackables& trackables) {
  Object object(value);
  model::TrackFile file;
  file.name = object.required<std::string>("name", kName);
  file.path = object.required<std::string>("file", Text{4096});
  if (!file.path.empty() && !file.path.starts_with('/')) {
    object.find("file")->wrong(quoted(file.path) + " is no whole path; expected one");
  }
  trackables.weights[model::TrackerKind::file][file.name] = read_weight(object, {.weight = 1});
  object.close();
  return file;
}

model::TrackProcess track_process(const Value& value, Trackables& trackables) {
  Object object(value);
  model::TrackProcess process;
  process.name = object.required<std::string>("name", kName);
  process.process = object.required<std::string>("process", Text{4096});
  process.quorum = object.optional<int>("quorum", Whole{1, 65535}, 1);
  process.delay = object.optional<base::Duration>("delay", Seconds{0, 3600}, base::Duration());
  trackables.weights[model::TrackerKind::process][process.name] = read_weight(object, {.weight = 1});
  object.close();
  return process;
}

std::vector<model::Tracked> read_tracked(Object& object, const Trackables& trackables) {
  std::vector<model::Tracked> all;
  for (const Kind& kind : kKinds) {
    const InlineForm form{.first = "name", .words = kUseWords, .example = kind.example};
    const auto uses = object.list(kind.key, [&](const Value& element) {
      return read_entry(element, form, [&](const Value& one) { return use(one, kind, trackables); });
    });
    all.insert(all.end(), uses.begin(), uses.end());
  }
  return all;
}

}  // namespace config
