// SPDX-License-Identifier: Apache-2.0
// timeline: what the prober saw, and the figures that follow from it. Pure.
//
// All times are nanoseconds of one clock. Figures are milliseconds; those "after the event" count from it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace failover {

using Nanos = int64_t;

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kPatience = 1000 * kMillisecond;  // a probe without an answer by then is lost

// One probe: a socket of its own, one question, perhaps an answer.
struct Probe {
  Nanos sent = 0;
  std::optional<Nanos> answered;
  std::string by;        // the name in the answer
  bool refused = false;  // an ICMP error came instead
};

// Somebody's frames of one kind: advertisements of a source address, announcements by a MAC address.
using Sightings = std::map<std::string, std::vector<Nanos>>;

struct Timeline {
  std::map<std::string, std::vector<Probe>> probes;  // by service, in the order of sending
  Sightings announcements;                           // gratuitous ARP for the virtual address
  Sightings advertisements;
  std::optional<Nanos> event;
  Nanos longest_pause = 0;  // between two rounds of probes: what the prober itself cannot see through
};

// The longest time from the sending of a lost probe to that of the next answered one; 0 when none was lost.
double outage_ms(const std::vector<Probe>& probes);

nlohmann::json figures(const Timeline& timeline);

}  // namespace failover
