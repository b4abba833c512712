// SPDX-License-Identifier: Apache-2.0
// What was under way in the tables of an earlier run goes on in new ones: connections, persistence templates, turns,
// leases and counters, each with the index that it had. Copied once before the new program takes the packets, and once
// more after, for what the old one has written in between.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/earlier_run.hpp"
#include "dataplane/entry_table.hpp"
#include "dataplane/maps.hpp"

namespace dataplane {

class CarryOver {
 public:
  struct Outcome {
    uint64_t connections = 0, templates = 0;  // brought over
    uint64_t no_room = 0;                     // and not: both buckets were full
  };

  explicit CarryOver(std::unique_ptr<EarlierRun> from) : from_(std::move(from)), had_(from_->tables()) {}

  const EarlierRun& from() const { return *from_; }

  // Turns, leases and counters, before the new program has any of its own. `tables` is what `to` holds.
  void copy_values(Maps& to, const model::Tables& tables) const;

  // Connections and templates that have not run out at `tick`, those that matter most first. Again: what is new, or
  // has changed there later than here.
  void copy_entries(Maps& to, uint32_t tick);

  const Outcome& outcome() const { return outcome_; }

 private:
  template <typename Bucket>
  void copy_connections(std::span<const Bucket> from, std::span<Bucket> into, Maps& to, uint32_t tick);
  void copy_templates(Maps& to, uint32_t tick);

  std::unique_ptr<EarlierRun> from_;
  model::Tables had_;
  Outcome outcome_;
};

// Does the old entry of a connection know more than the new one? The clock is the same, but its tick is long.
bool is_later(const Entry& old_entry, const Entry& new_entry, uint32_t tick,
              std::span<const xd_real_server> real_servers);

}  // namespace dataplane
