// SPDX-License-Identifier: Apache-2.0
// docs/configuration.md names exactly the keys that the reader knows, object by object. What the reader knows, it tells
// when it meets a key that resembles none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "config_support.hpp"

namespace config {
namespace {

using Keys = std::map<std::string, std::multiset<std::string>>;  // by object: "virtual_servers[].real_servers[]"

constexpr const char* kNoKey = "#";

std::multiset<std::string> split(const std::string& list) {
  static const std::regex kSeparator(", ");
  return {std::sregex_token_iterator(list.begin(), list.end(), kSeparator, -1), std::sregex_token_iterator()};
}

// One object of each kind, empty but for what leads to the next one.
Keys keys_of_the_reader() {
  using testing::json;
  json config = json::parse(R"({
    "lvs_timeouts": {},
    "vrrp_instances": [{ "authentication": {}, "unicast_peer": [{}], "virtual_ipaddress": [{}],
                         "virtual_routes": [{}], "track_script": [{}], "notify": {} }],
    "vrrp_sync_groups": [{}], "vrrp_scripts": [{}], "vrrp_track_files": [{}], "vrrp_track_processes": [{}],
    "port_marks": [{}],
    "virtual_servers": [{ "real_servers": [{ "checks": [{}] }] }] })");
  std::function<void(json&)> ask = [&](json& node) {
    for (json& child : node) ask(child);
    if (node.is_object()) node[kNoKey] = 1;
  };
  ask(config);
  const auto loaded = load(config.dump(), "f");
  Keys keys;
  const std::regex known(".*; known here: (.*)"), index("\\[0\\]");
  for (const Diagnostic& diagnostic : loaded.error()) {
    std::smatch match;
    if (std::regex_match(diagnostic.message, match, known)) {
      keys[std::regex_replace(diagnostic.path, index, "[]")] = split(match[1]);
    }
  }
  return keys;
}

Keys keys_of_the_document() {
  std::istringstream document(testing::read_text(XD_SOURCE_DIR "/docs/configuration.md"));
  const std::regex heading("## `(.*)`"), row("\\| `([a-z0-9_-]+)` \\|.*");
  Keys keys;
  std::string line;
  std::optional<std::string> object;  // none: a section that is no object's
  while (std::getline(document, line)) {
    std::smatch match;
    if (line.starts_with("##")) object = line == "## Top level" ? std::optional("") : std::nullopt;
    if (std::regex_match(line, match, heading)) object = match[1];
    if (object && std::regex_match(line, match, row)) keys[*object].insert(match[1]);
  }
  return keys;
}

TEST(Document, NamesExactlyTheKeysThatTheReaderKnows) {
  EXPECT_EQ(keys_of_the_reader().size(), 17u) << "one object of each kind";
  EXPECT_EQ(keys_of_the_document(), keys_of_the_reader());
}

}  // namespace
}  // namespace config
