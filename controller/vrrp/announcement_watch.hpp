// SPDX-License-Identifier: Apache-2.0
// AnnouncementWatch: hears that another host announces addresses that were ours: during a planned handover they may go
// once it has. While it is open each ARP packet and neighbour advertisement on the interface costs a little; so it is
// opened for that long only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "loop/loop.hpp"

namespace vrrp {

// The address that whoever sent the frame says is its own: ARP's sender (request or reply), or the target of a
// neighbour advertisement. nullopt: another kind of frame.
std::optional<base::Ip> announced_in(std::span<const uint8_t> frame);

class AnnouncementWatch {
 public:
  using OnAnnounced = std::function<void(const base::Ip&)>;

  // Hears what comes in, never what this host sends. May be destroyed by its callback.
  static base::Result<std::unique_ptr<AnnouncementWatch>> open(loop::Loop& loop, int ifindex,
                                                               std::set<base::Ip> addresses, OnAnnounced on_announced);

 private:
  AnnouncementWatch(loop::Loop& loop, base::Fd socket, std::set<base::Ip> addresses, OnAnnounced on_announced);
  void read_waiting();

  base::Fd socket_;
  std::set<base::Ip> addresses_;
  OnAnnounced on_announced_;
  loop::Watch watch_;
};

}  // namespace vrrp
