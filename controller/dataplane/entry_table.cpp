// SPDX-License-Identifier: Apache-2.0
#include "dataplane/entry_table.hpp"

#include <array>

namespace dataplane {
namespace {

constexpr __u64 kFree = 0, kBeingWritten = 1;
constexpr size_t kRoomToSpare = 2;  // free ways of the first bucket, for the second not to be looked at
constexpr __u64 kSlotBits = 0xffff;

__u64 load(const __u64& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
__u64 exchange(__u64& word, __u64 value) {
  return __atomic_exchange_n(&word, value, __ATOMIC_SEQ_CST);
}
bool exchange_if(__u64& word, __u64 expected, __u64 value) {
  return __atomic_compare_exchange_n(&word, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void store_beside(xd_bucket& /*bucket*/, size_t /*way*/, const Entry& /*entry*/) {}
void store_beside(xd_bucket6& bucket, size_t way, const Entry& entry) {
  for (size_t i = 0; i < 2; ++i) {
    __atomic_store_n(&bucket.of[way].client[i], entry.beside[i], __ATOMIC_RELEASE);
    __atomic_store_n(&bucket.of[way].address[i], entry.beside[2 + i], __ATOMIC_RELEASE);
  }
}
void store_beside(xd_template_bucket& bucket, size_t way, const Entry& entry) {
  for (size_t i = 0; i < 2; ++i) __atomic_store_n(&bucket.client[way][i], entry.beside[i], __ATOMIC_RELEASE);
}

// Of the same connection, or the same client?
bool same(const Entry& a, const Entry& b, __u64 identity) {
  return ((a.w0 ^ b.w0) & ~kSlotBits) == 0 && ((a.w1 ^ b.w1) & identity) == 0 && a.beside == b.beside;
}

// Templates have other buckets than connections.
template <typename Bucket>
constexpr uint64_t kSeedOfTable = 0;
template <>
constexpr uint64_t kSeedOfTable<xd_template_bucket> = XD_TEMPLATE_SEED;

}  // namespace

template <typename Bucket>
typename EntryTable<Bucket>::Choice EntryTable<Bucket>::choose(const Entry& entry) const {
  const uint64_t hash = flow_hash(entry.w0 & ~kSlotBits, entry.w1 & kW1.identity, hash_seed_ ^ kSeedOfTable<Bucket>);
  const auto mask = static_cast<__u32>(buckets_.size() - 1);
  return {xd_first_bucket(hash, mask), xd_second_bucket(hash, mask), xd_preferred_way(hash)};
}

template <typename Bucket>
std::optional<typename EntryTable<Bucket>::Found> EntryTable<Bucket>::find(const Entry& entry) const {
  const Choice choice = choose(entry);
  for (size_t number = 0; number < 2 * XD_WAYS; ++number) {
    const std::optional<Entry> seen = read_entry(bucket(choice, number), number % XD_WAYS);
    if (seen && same(*seen, entry, kW1.identity)) return Found{number, *seen};
  }
  return std::nullopt;
}

// The first bucket while it has room to spare, for a lookup begins there; then the emptier one.
template <typename Bucket>
std::optional<size_t> EntryTable<Bucket>::free_way(const Choice& choice) const {
  std::array<size_t, 2> free{}, best{};
  for (size_t i = 2 * XD_WAYS; i-- > 0;) {
    const size_t number = i ^ choice.preferred;  // the preferred way of a bucket comes last
    if (load(way_at(bucket(choice, number), number % XD_WAYS).w0) != kFree) continue;
    ++free[number / XD_WAYS];
    best[number / XD_WAYS] = number;
  }
  if (free[0] + free[1] == 0) return std::nullopt;
  return free[0] >= kRoomToSpare || free[0] >= free[1] ? best[0] : best[1];
}

template <typename Bucket>
bool EntryTable<Bucket>::write(Bucket& bucket, size_t way, const Entry& seen, const Entry& entry) {
  auto& words = way_at(bucket, way);
  if (!exchange_if(words.w0, seen.w0, kBeingWritten)) return false;
  const __u64 now = load(words.w1);
  if (seen.w0 != kFree && now != seen.w1) {
    exchange(words.w0, seen.w0);  // it was seen meanwhile
    return false;
  }
  const __u64 one_generation = kW1.generation & (~kW1.generation + 1);
  exchange(words.w1, (entry.w1 & ~kW1.generation) | ((now + one_generation) & kW1.generation));
  store_beside(bucket, way, entry);
  exchange(words.w0, entry.w0);
  return true;
}

// The program may have inserted it at the same time: whoever sees both frees the higher way.
template <typename Bucket>
void EntryTable<Bucket>::settle(const Choice& choice, size_t mine, const Entry& entry) {
  for (size_t number = 0; number < 2 * XD_WAYS; ++number) {
    if (number == mine) continue;
    const std::optional<Entry> seen = read_entry(bucket(choice, number), number % XD_WAYS);
    if (!seen || !same(*seen, entry, kW1.identity)) continue;
    const size_t higher = number < mine ? mine : number;
    exchange_if(way_at(bucket(choice, higher), higher % XD_WAYS).w0, number < mine ? entry.w0 : seen->w0, kFree);
    if (number < mine) return;
  }
}

template <typename Bucket>
bool EntryTable<Bucket>::insert(const Entry& entry) {
  const Choice choice = choose(entry);
  for (std::optional<size_t> way = free_way(choice); way; way = free_way(choice)) {
    if (!write(bucket(choice, *way), *way % XD_WAYS, {}, entry)) continue;  // it is not free any more
    settle(choice, *way, entry);
    return true;
  }
  return false;
}

template <typename Bucket>
bool EntryTable<Bucket>::replace(const Found& found, const Entry& entry) {
  return write(bucket(choose(entry), found.number), found.number % XD_WAYS, found.entry, entry);
}

template class EntryTable<xd_bucket>;
template class EntryTable<xd_bucket6>;
template class EntryTable<xd_template_bucket>;

}  // namespace dataplane
