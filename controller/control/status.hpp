// SPDX-License-Identifier: Apache-2.0
// What `xdirector status` shows, as one JSON document. A function of values: nothing is asked for here.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/tracker.hpp"
#include "control/wire_watch.hpp"
#include "dataplane/connections.hpp"
#include "ipc/messages.hpp"
#include "model/tables.hpp"

namespace control {

struct InterfaceStatus {
  std::string name;
  std::string mode;           // "native", "generic"; empty: not attached
  std::string carrier;        // the interface whose program takes this VLAN sub-interface's frames; empty: its own
  bool multi_buffer = false;  // the program for frames that are larger than a page
  std::vector<std::string> warnings;
};

struct WorkerStatus {
  int pid = 0;  // 0: not running
  int restarts = 0;
};

struct SlotStatus {
  dataplane::ConnectionCounts connections;
  xd_real_server_stats stats{};
};

struct ReloadStatus {
  int64_t at_unix = 0;  // 0: there was none
  bool ok = true;
  std::vector<std::string> errors;
};

// Everything at one moment.
struct Snapshot {
  std::string config_file;
  int64_t started_unix = 0, config_loaded_unix = 0, now_unix = 0;
  ReloadStatus reload;
  const model::Config* config = nullptr;
  const model::Tables* tables = nullptr;
  std::vector<InterfaceStatus> interfaces;
  std::vector<std::string> fence_problems;  // parts of it that do not hold, and why
  std::vector<WireRouter> other_routers;    // whose virtual routers none of our instances is
  std::map<base::Ip, std::optional<base::Mac>> peer_directors;
  std::map<std::string, WorkerStatus> workers;
  std::map<std::string, ipc::VrrpReport> vrrp;  // by instance
  std::vector<TrackerStatus> trackers;
  std::map<model::Member, ipc::HealthReport> health;  // last result of those that have one
  std::map<model::Slot, SlotStatus> slots;
  std::map<std::string, double> lease_seconds;  // left, by virtual address; negative: fenced
  xd_counters counters{};
};

nlohmann::ordered_json status_json(const Snapshot& snapshot);

// The same as text. What is not UTF-8 (a path, a broken file quoted in an error) shows as U+FFFD.
std::string status_document(const Snapshot& snapshot);

}  // namespace control
