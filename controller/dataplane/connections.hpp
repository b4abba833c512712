// SPDX-License-Identifier: Apache-2.0
// The connection tables as the controller sees them: counts what is there and frees what has expired, a piece at a
// time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

using model::ConnectionCounts;

// One pass over the tables of both families after another. `real_servers` gives each slot's timeouts.
class Sweep {
 public:
  Sweep(std::span<xd_bucket> buckets, std::span<xd_bucket6> buckets6, std::span<const xd_real_server> real_servers);

  // Looks at the next `buckets` buckets; `tick` is the packet path's clock now. True: a pass has just ended.
  bool step(size_t buckets, uint32_t tick);

  // What a pass looks at, a cache line each: IPv6 addresses stand beside the ways, and do not matter here.
  size_t size() const { return buckets_.size() + buckets6_.size(); }

  // Of the last whole pass, by slot.
  const std::vector<ConnectionCounts>& counts() const { return counts_; }

 private:
  xd_bucket& bucket(size_t number);
  void visit(xd_way& way, uint32_t tick);

  std::span<xd_bucket> buckets_;
  std::span<xd_bucket6> buckets6_;
  std::span<const xd_real_server> real_servers_;
  size_t next_ = 0;
  std::vector<ConnectionCounts> counting_, counts_;
};

}  // namespace dataplane
