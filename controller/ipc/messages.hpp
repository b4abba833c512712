// SPDX-License-Identifier: Apache-2.0
// Every message between the control plane and its workers. The processes meet nowhere else.
//
// control → worker: Configure*, Stop.  worker → control: Heartbeat, and what it has found out.
// A message is one JSON text: encode() and decode() are pure, decode() trusts nothing (tests/fuzz).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "model/config.hpp"

namespace ipc {

// One instance for the vrrp worker (but for its notify scripts, which are control's). `lease` has, for each of
// all_addresses(), the index of its entry in the map `leases`, whose descriptor comes with the message. Those that are
// `served_here` (this director is one of their real servers) are on lo while they are not on the interface.
struct VrrpAssignment {
  model::VrrpInstance instance;
  std::vector<uint32_t> lease;
  std::vector<base::Ip> served_here;

  friend bool operator==(const VrrpAssignment&, const VrrpAssignment&) = default;
};

// Instances that change state together, by name.
struct VrrpGroup {
  std::string name;
  std::vector<std::string> instances;

  friend bool operator==(const VrrpGroup&, const VrrpGroup&) = default;
};

// All instances from now on: those that are gone are released, those that are unchanged notice nothing.
struct ConfigureVrrp {
  std::vector<VrrpAssignment> instances;
  std::vector<VrrpGroup> groups;

  friend bool operator==(const ConfigureVrrp&, const ConfigureVrrp&) = default;
};

// One real server of one virtual server. Equal `check_id` means the same real server of the same virtual server.
struct HealthTarget {
  uint64_t id = 0;             // chosen by control, stable across reloads
  std::string virtual_server;  // for the log
  base::Ip address;
  uint16_t port = 0;
  base::Duration delay_loop{};
  std::vector<model::TcpCheck> checks;
  bool up = true;  // last known health: stands until checked again

  friend bool operator==(const HealthTarget&, const HealthTarget&) = default;
};

// All targets from now on. A target whose id and checks are known already goes on with its timers and its health.
struct ConfigureHealth {
  std::vector<HealthTarget> targets;

  friend bool operator==(const ConfigureHealth&, const ConfigureHealth&) = default;
};

// What a script, a file or a process that is tracked says. `value`: the number of a file.
struct TrackerState {
  model::TrackerKind kind = model::TrackerKind::script;
  std::string name;
  bool known = false;  // there has been a first result
  bool up = true;
  int value = 0;

  friend bool operator==(const TrackerState&, const TrackerState&) = default;
};

// All trackers but interfaces (which the worker sees itself); sent before ConfigureVrrp and at every change.
struct TrackerStates {
  std::vector<TrackerState> trackers;

  friend bool operator==(const TrackerStates&, const TrackerStates&) = default;
};

// The instance (with its sync group) hands over, and does not take back what another one has, until Resume.
struct Release {
  std::string instance;

  friend bool operator==(const Release&, const Release&) = default;
};
struct Resume {
  std::string instance;

  friend bool operator==(const Resume&, const Resume&) = default;
};

// An orderly end: the vrrp worker resigns (priority 0, addresses off); then exit code 0.
struct Stop {
  friend bool operator==(const Stop&, const Stop&) = default;
};

// Stamped by the worker's own event loop.
struct Heartbeat {
  base::Time at;

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

enum class VrrpState { init, backup, master, fault };
std::string_view name(VrrpState state);  // "INIT", "BACKUP", "MASTER", "FAULT", as keepalived prints them

// Something is wrong between us and another router, or was until a moment ago.
struct VrrpProblem {
  std::string kind;  // a word for programs: "two_masters", "password" ...; docs/vrrp.md has them all
  base::Ip peer;     // ::: not known
  std::string text;  // for people
  int64_t since_unix = 0;

  friend bool operator==(const VrrpProblem&, const VrrpProblem&) = default;
};

// Sent at every change, and for every instance after ConfigureVrrp.
struct VrrpReport {
  std::string instance;
  VrrpState state = VrrpState::init;
  std::string reason;      // why: "no advertisement for 3.6 s", "priority 200 from 192.168.100.244", "eth0 is down"
  int64_t since_unix = 0;  // seconds, for people
  uint8_t priority = 0;    // now in force, trackers included
  base::Ip master;         // who is MASTER as far as we know; ::: nobody
  bool released = false;   // by `xdirector vrrp release`
  std::vector<VrrpProblem> problems;
  uint64_t adverts_sent = 0, adverts_received = 0, adverts_rejected = 0, send_errors = 0;
  std::string last_rejected;  // why the last rejected advertisement was; empty: none was

  friend bool operator==(const VrrpReport&, const VrrpReport&) = default;
};

// Sent after every check that ended a series of tries, and when `up` changes.
struct HealthReport {
  uint64_t id = 0;
  bool up = true;
  bool unknown = false;  // a failure of our own (no descriptors, no memory): says nothing about the real server
  std::string outcome;   // "connect to 192.168.100.34:9814: timed out after 3 s (try 2 of 4)"
  int64_t at_unix = 0;

  friend bool operator==(const HealthReport&, const HealthReport&) = default;
};

using Message = std::variant<ConfigureVrrp, ConfigureHealth, TrackerStates, Release, Resume, Stop, Heartbeat,
                             VrrpReport, HealthReport>;

std::string encode(const Message& message);
base::Result<Message> decode(std::string_view text);

}  // namespace ipc
