// SPDX-License-Identifier: Apache-2.0
#include "vrrp/tracking.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vrrp/state_machine.hpp"

namespace vrrp {
namespace {

constexpr int kLowest = -253;  // a product below it leaves no priority

std::string what(const model::Tracked& tracked) {
  return fmt::format("{} {}", name(tracked.kind), tracked.name);
}

void judge_file(const model::Tracked& tracked, const ipc::TrackerState& state, Tracking& result) {
  const int product = state.value * (tracked.reverse ? -tracked.weight : tracked.weight);
  if (tracked.weight == 0 ? (state.value != 0) != tracked.reverse : product < kLowest) {
    result.fault = fmt::format("{} says {}", what(tracked), state.value);
  } else {
    result.weight += product;
  }
}

void judge_one(const model::Tracked& tracked, const ipc::TrackerState& state, Tracking& result) {
  const bool good = state.up != tracked.reverse;
  if (tracked.weight == 0 && !good) {
    result.fault = fmt::format("{} is {}", what(tracked), state.up ? "up" : "down");
  } else if (good == (tracked.weight > 0)) {
    result.weight += tracked.weight;
  }
}

}  // namespace

Tracking judge(const std::vector<model::Tracked>& tracked, const std::vector<ipc::TrackerState>& states) {
  Tracking result;
  for (const model::Tracked& one : tracked) {
    const auto state =
        std::ranges::find_if(states, [&](const auto& s) { return s.kind == one.kind && s.name == one.name; });
    if (state == states.end() || !state->known) {
      if (one.weight == 0) result.waiting_for = "the first result of " + what(one);
    } else if (one.kind == model::TrackerKind::file) {
      judge_file(one, *state, result);
    } else {
      judge_one(one, *state, result);
    }
  }
  return result;
}

uint8_t effective_priority(uint8_t configured, int weight) {
  if (configured == kOwner) return kOwner;
  return static_cast<uint8_t>(std::clamp(configured + weight, 1, kOwner - 1));
}

}  // namespace vrrp
