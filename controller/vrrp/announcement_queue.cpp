// SPDX-License-Identifier: Apache-2.0
#include "vrrp/announcement_queue.hpp"

#include "base/log.hpp"

namespace vrrp {

AnnouncementQueue::AnnouncementQueue(loop::Loop& loop, Send send)
    : send_(std::move(send)), timer_(loop, [this] {
        if (const auto sent = send_next(); !sent) base::log::warning("{}", sent.error().message);
      }) {}

base::Result<> AnnouncementQueue::add(const base::Ip& ip, int times, base::Duration gap) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.ip == ip; });
  if (times <= 0) return {};
  if (gap > base::Duration::zero()) {
    waiting_.push_back({ip, times, gap});
    return timer_.running() ? base::Result<>() : send_next();
  }
  for (int i = 0; i < times; ++i) {
    if (const auto sent = send_(ip); !sent) return sent;
  }
  return {};
}

void AnnouncementQueue::clear() {
  waiting_.clear();
  timer_.stop();
}

// An announcement that fails is not tried again: there are more of them, and the refresh.
base::Result<> AnnouncementQueue::send_next() {
  if (waiting_.empty()) return {};
  Waiting next = waiting_.front();
  waiting_.pop_front();
  if (--next.times > 0) waiting_.push_back(next);
  timer_.start(next.gap);  // also after the last: whoever comes next keeps the distance
  return send_(next.ip);
}

}  // namespace vrrp
