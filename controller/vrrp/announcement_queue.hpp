// SPDX-License-Identifier: Apache-2.0
// AnnouncementQueue: bursts of announcements on one interface, with the pauses that weak switches need between packets
// (vrrp_garp_interval, vrrp_gna_interval), without ever blocking.
#pragma once

#include <deque>
#include <functional>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "loop/loop.hpp"

namespace vrrp {

class AnnouncementQueue {
 public:
  using Send = std::function<base::Result<>(const base::Ip&)>;

  AnnouncementQueue(loop::Loop& loop, Send send);

  // Announces `ip` so many times instead of what was left of before; 0: not any more. With no gap all at once; else the
  // addresses take turns, one packet per gap. The error is that of a packet that went out at once.
  base::Result<> add(const base::Ip& ip, int times, base::Duration gap);
  void clear();

 private:
  struct Waiting {
    base::Ip ip;
    int times = 0;
    base::Duration gap{};
  };
  base::Result<> send_next();

  Send send_;
  std::deque<Waiting> waiting_;
  loop::Timer timer_;
};

}  // namespace vrrp
