// SPDX-License-Identifier: Apache-2.0
// What the things that an instance tracks make of it: a priority, a FAULT, or a wait. Pure.
#pragma once

#include <string>
#include <vector>

#include "ipc/messages.hpp"

namespace vrrp {

struct Tracking {
  int weight = 0;           // to be added to the priority
  std::string fault;        // "track_script chk_nginx is down"; empty: none
  std::string waiting_for;  // "the first result of track_script chk_nginx"; empty: nothing

  friend bool operator==(const Tracking&, const Tracking&) = default;
};

// A tracker that is not among `states` has no result yet, and counts for nothing. Files as in keepalived: the number
// times the weight; with weight 0 any number but 0 is a fault; a product below -253 is one, too. Reversed, the sign
// changes, and 0 is it.
Tracking judge(const std::vector<model::Tracked>& tracked, const std::vector<ipc::TrackerState>& states);

// Clamped to 1-254; an owner of the addresses stays one.
uint8_t effective_priority(uint8_t configured, int weight);

}  // namespace vrrp
