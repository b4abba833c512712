// SPDX-License-Identifier: Apache-2.0
// A configuration that is right, to be made wrong in one place, and the diagnostics as lines.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace config::testing {

using nlohmann::json;

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline json reference() {
  return json::parse(read_text(XD_SOURCE_DIR "/examples/reference/director-1.json"));
}

// One instance, one virtual server, one real server; no warning.
inline json smallest() {
  return json::parse(R"({
    "vrrp_instances": [{ "name": "VI_1", "interface": "eth0", "virtual_router_id": 1,
                         "virtual_ipaddress": ["10.0.0.100"] }],
    "virtual_servers": [{ "address": "10.0.0.100", "port": 80, "lb_algo": "wrr", "lb_kind": "DR",
                          "real_servers": [{ "address": "10.0.0.1", "port": 80 }] }] })");
}

inline std::vector<std::string> lines(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> result;
  result.reserve(diagnostics.size());
  for (const Diagnostic& diagnostic : diagnostics) result.push_back(diagnostic.str());
  return result;
}

// Errors and warnings of a text, in the order in which they are shown.
inline std::vector<std::string> lines_of(const std::string& text) {
  const auto loaded = load(text, "f");
  return lines(loaded ? loaded->warnings : loaded.error());
}

// The same of a changed configuration, as "PATH: MESSAGE"; a warning as "warning: PATH: MESSAGE". The file is written
// in one line.
inline std::vector<std::string> found_in(const json& config) {
  std::vector<std::string> result;
  for (const std::string& line : lines_of(config.dump())) {
    const size_t text = line.find(": ");  // after "f:1" or "f:1:1"
    result.push_back(line.substr(text + 2));
  }
  return result;
}

}  // namespace config::testing
