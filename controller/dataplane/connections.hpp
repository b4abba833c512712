// SPDX-License-Identifier: Apache-2.0
// The connection table as the controller sees it: counts what is there and frees what has expired, a piece at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xdirector/maps.h"

namespace dataplane {

// As `ipvsadm -Ln` has them: active is established, inactive is opening or closing.
struct ConnectionCounts {
  uint64_t active = 0, inactive = 0;
};

// One pass over the table after another. `real_servers` gives each slot's timeouts.
class Sweep {
 public:
  Sweep(std::span<xd_bucket> buckets, std::span<const xd_real_server> real_servers);

  // Looks at the next `buckets` buckets; `tick` is the packet path's clock now. True: a pass has just ended.
  bool step(size_t buckets, uint32_t tick);

  // Of the last whole pass, by slot.
  const std::vector<ConnectionCounts>& counts() const { return counts_; }

 private:
  void visit(xd_way& way, uint32_t tick);

  std::span<xd_bucket> buckets_;
  std::span<const xd_real_server> real_servers_;
  size_t next_ = 0;
  std::vector<ConnectionCounts> counting_, counts_;
};

}  // namespace dataplane
