// SPDX-License-Identifier: Apache-2.0
// Which slots can be given out again: those of removed real servers of which a whole pass of the sweep over the
// connection table, begun after they began to drain, has seen no connection. Pure.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "dataplane/connections.hpp"
#include "model/tables.hpp"

namespace control {

class IdleSlots {
 public:
  // After every change of the configuration: one that is in use again can have got connections behind the sweep's back.
  void draining_are(const std::set<model::Slot>& draining) {
    std::erase_if(candidates_, [&](model::Slot slot) { return !draining.contains(slot); });
  }

  // At the end of a pass. Returns the slots that no connection holds; the others are judged by the next pass.
  std::set<model::Slot> pass_ended(const std::set<model::Slot>& draining,
                                   const std::vector<dataplane::ConnectionCounts>& counts) {
    draining_are(draining);
    std::erase_if(candidates_, [&](model::Slot slot) { return counts[slot].active + counts[slot].inactive > 0; });
    return std::exchange(candidates_, draining);
  }

 private:
  std::set<model::Slot> candidates_;  // draining since the present pass began, or longer
};

}  // namespace control
