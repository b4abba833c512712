// SPDX-License-Identifier: Apache-2.0
// The tables that the program writes as somebody who writes to them, too: an entry is found and put where the program
// looks for it, by the protocol of bpf/connections.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/entry.hpp"
#include "xdirector/hash.h"
#include "xdirector/maps.h"

namespace dataplane {

template <typename Bucket>
class EntryTable {
 public:
  EntryTable(std::span<Bucket> buckets, uint64_t hash_seed) : buckets_(buckets), hash_seed_(hash_seed) {}

  struct Found {
    size_t number = 0;  // of the eight ways where an entry can be
    Entry entry;
  };
  std::optional<Found> find(const Entry& entry) const;

  // Of an entry that is not there. Only free ways are taken, by the program's rule. False: there is none.
  bool insert(const Entry& entry);

  // Puts `entry` in place of what was found of it. False: it has changed meanwhile.
  bool replace(const Found& found, const Entry& entry);

 private:
  static constexpr W1 kW1 = w1_of(static_cast<Bucket*>(nullptr));

  // Where an entry can be: two buckets, in both of them rather in this way than in another.
  struct Choice {
    size_t first, second, preferred;
  };
  Choice choose(const Entry& entry) const;
  Bucket& bucket(const Choice& choice, size_t number) const {
    return buckets_[number < XD_WAYS ? choice.first : choice.second];
  }
  std::optional<size_t> free_way(const Choice& choice) const;
  bool write(Bucket& bucket, size_t way, const Entry& seen, const Entry& entry);
  void settle(const Choice& choice, size_t mine, const Entry& entry);

  std::span<Bucket> buckets_;
  uint64_t hash_seed_;
};

extern template class EntryTable<xd_bucket>;
extern template class EntryTable<xd_bucket6>;
extern template class EntryTable<xd_template_bucket>;

}  // namespace dataplane
