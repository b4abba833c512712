// SPDX-License-Identifier: Apache-2.0
#include "dataplane/connections.hpp"

#include <bit>
#include <utility>

#include "dataplane/entry.hpp"

namespace dataplane {
namespace {

constexpr uint64_t kFree = 0, kBeingWritten = 1;

__extension__ using TwoWords = unsigned __int128;
static_assert(alignof(xd_bucket) % sizeof(TwoWords) == 0);

uint64_t load(const __u64& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

// Unless a packet has refreshed the way since we looked. Both words in one step: a lock, as the program has it, could
// be held for long by a process that is put aside. w1 stays, for of IPv6 it has the way's generation.
bool free_way(xd_way& way, const xd_way& seen) {
  const xd_way freed{.w0 = kFree, .w1 = seen.w1};
  return __sync_bool_compare_and_swap(reinterpret_cast<TwoWords*>(&way), std::bit_cast<TwoWords>(seen),
                                      std::bit_cast<TwoWords>(freed));
}

}  // namespace

Sweep::Sweep(std::span<xd_bucket> buckets, std::span<xd_bucket6> buckets6, std::span<const xd_real_server> real_servers)
    : buckets_(buckets),
      buckets6_(buckets6),
      real_servers_(real_servers),
      counting_(real_servers.size()),
      counts_(real_servers.size()) {}

xd_bucket& Sweep::bucket(size_t number) {
  return number < buckets_.size() ? buckets_[number] : buckets6_[number - buckets_.size()].ways;
}

void Sweep::visit(xd_way& way, uint32_t tick) {
  const xd_way seen{.w0 = load(way.w0), .w1 = load(way.w1)};
  if (seen.w0 == kFree || seen.w0 == kBeingWritten || seen.slot >= real_servers_.size()) return;
  const xd_real_server& real_server = real_servers_[seen.slot];
  const bool over =
      real_server.state == XD_UNUSED || connection_age(seen, tick) > real_server.timeout_ticks[seen.state];
  if (over && free_way(way, seen)) return;  // else it has come to life again, and counts
  ConnectionCounts& counts = counting_[seen.slot];
  const bool established = seen.state == XD_YOUNG || seen.state == XD_PROVEN;
  ++(established ? counts.active : counts.inactive);
}

bool Sweep::step(size_t buckets, uint32_t tick) {
  for (size_t i = 0; i < buckets && next_ < size(); ++i, ++next_) {
    for (xd_way& way : bucket(next_).way) visit(way, tick);
  }
  if (next_ < size()) return false;
  next_ = 0;
  counts_ = std::exchange(counting_, std::vector<ConnectionCounts>(counts_.size()));
  return true;
}

}  // namespace dataplane
