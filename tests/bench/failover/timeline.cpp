// SPDX-License-Identifier: Apache-2.0
// timeline: the figures.
#include "bench/failover/timeline.hpp"

#include <algorithm>

namespace failover {
namespace {

double ms(Nanos time) {
  return static_cast<double>(time) / static_cast<double>(kMillisecond);
}

// How often after the event, when first and when last.
nlohmann::json after(const std::vector<Nanos>& times, std::optional<Nanos> event) {
  nlohmann::json result{{"count", 0}};
  if (!event) return result;
  const auto first = std::ranges::lower_bound(times, *event);
  if (first == times.end()) return result;
  return {{"count", times.end() - first}, {"first_ms", ms(*first - *event)}, {"last_ms", ms(times.back() - *event)}};
}

double longest_gap_ms(const std::vector<Nanos>& times) {
  Nanos longest = 0;
  for (size_t i = 1; i < times.size(); ++i) longest = std::max(longest, times[i] - times[i - 1]);
  return ms(longest);
}

Sightings answers(const std::vector<Probe>& probes) {
  Sightings result;
  for (const Probe& probe : probes)
    if (probe.answered) result[probe.by].push_back(*probe.answered);
  for (auto& [name, times] : result) std::ranges::sort(times);
  return result;
}

nlohmann::json service_figures(const std::vector<Probe>& probes, std::optional<Nanos> event) {
  Nanos slowest = 0;
  for (const Probe& probe : probes)
    if (probe.answered) slowest = std::max(slowest, *probe.answered - probe.sent);
  nlohmann::json by = nlohmann::json::object();
  for (const auto& [name, times] : answers(probes)) by[name] = after(times, event);
  return {{"sent", probes.size()},
          {"lost", std::ranges::count_if(probes, [](const Probe& probe) { return !probe.answered; })},
          {"refused", std::ranges::count_if(probes, &Probe::refused)},
          {"outage_ms", outage_ms(probes)},
          {"slowest_ms", ms(slowest)},
          {"answers", by}};
}

}  // namespace

double outage_ms(const std::vector<Probe>& probes) {
  Nanos longest = 0;
  std::optional<Nanos> began;
  for (const Probe& probe : probes) {
    if (!probe.answered && !began) began = probe.sent;
    if (began) longest = std::max(longest, probe.sent - *began);
    if (probe.answered) began.reset();
  }
  return ms(longest);
}

nlohmann::json figures(const Timeline& timeline) {
  nlohmann::json result{{"pause_ms", ms(timeline.longest_pause)},
                        {"services", nlohmann::json::object()},
                        {"announcements", nlohmann::json::object()},
                        {"advertisements", nlohmann::json::object()}};
  for (const auto& [service, probes] : timeline.probes)
    result["services"][service] = service_figures(probes, timeline.event);
  for (const auto& [mac, times] : timeline.announcements) result["announcements"][mac] = after(times, timeline.event);
  for (const auto& [source, times] : timeline.advertisements) {
    result["advertisements"][source] = after(times, timeline.event);
    result["advertisements"][source]["longest_gap_ms"] = longest_gap_ms(times);
  }
  return result;
}

}  // namespace failover
