// SPDX-License-Identifier: Apache-2.0
// The pinned tables of an earlier run that cannot be adopted as they are, for they have another size or the layout of
// the version before: what of them goes on in new ones. Its program may still forward; nothing here is written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "dataplane/entry.hpp"
#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

class EarlierRun {
 public:
  EarlierRun() = default;
  EarlierRun(const EarlierRun&) = delete;
  EarlierRun& operator=(const EarlierRun&) = delete;
  virtual ~EarlierRun() = default;

  // Seed and tick, by which its entries can be read, and go on to be.
  virtual xd_settings settings() const = 0;

  // Who has which index. What a configuration says anyway (services, cycles) may be missing.
  virtual model::Tables tables() const = 0;
  virtual uint64_t position(model::Index virtual_server) const = 0;
  virtual base::Time lease_until(uint32_t index) const = 0;
  virtual xd_counters counters() const = 0;
  virtual xd_real_server_stats stats(model::Slot slot) const = 0;

  virtual std::span<const xd_bucket> connections() const = 0;
  virtual std::span<const xd_bucket6> connections6() const = 0;
  virtual std::vector<Entry> templates() const = 0;
};

// The pinned one. nullptr: there is none, or none that this version can read.
std::unique_ptr<EarlierRun> open_earlier_run();

// The layout of the tables that a map `settings` belongs to. nullopt: it cannot be read.
std::optional<uint32_t> layout_of(int settings);

}  // namespace dataplane
