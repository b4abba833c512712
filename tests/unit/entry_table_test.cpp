// SPDX-License-Identifier: Apache-2.0
// Entries of the program's tables in plain memory: read whole or not at all, put where the program looks for them.
#include "dataplane/entry_table.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace dataplane {
namespace {

constexpr uint64_t kSeed = 0x0123456789abcdef;
constexpr size_t kBuckets = 16;

// The entry of flow number `i`, with what every table keeps of it.
template <typename Bucket>
Entry entry(uint64_t i, uint16_t slot = 7) {
  const uint64_t w1 = (0x6f64a8c0ULL + i * 0x1000193) << 32 | 80 << 16 | XD_PROVEN << 13 | 5;
  Entry e{.w0 = (0x1f64a8c0ULL + i) << 32 | 40000ULL << 16 | slot};
  e.w1 = w1 & ~w1_of(static_cast<Bucket*>(nullptr)).generation;
  if constexpr (std::is_same_v<Bucket, xd_bucket6>) e.beside = {i, 2, 3, i};
  if constexpr (std::is_same_v<Bucket, xd_template_bucket>) e.beside = {i, 2, 0, 0};
  return e;
}

template <typename Bucket>
class EntryTableTest : public testing::Test {
 protected:
  size_t used() const {
    size_t ways = 0;
    for (const Bucket& bucket : buckets_) {
      for (size_t i = 0; i < XD_WAYS; ++i) ways += read_entry(bucket, i) ? 1 : 0;
    }
    return ways;
  }

  std::vector<Bucket> buckets_{kBuckets};
  EntryTable<Bucket> table_{buckets_, kSeed};
};

using Buckets = testing::Types<xd_bucket, xd_bucket6, xd_template_bucket>;
TYPED_TEST_SUITE(EntryTableTest, Buckets);

}  // namespace

TYPED_TEST(EntryTableTest, WhatIsInsertedIsFoundWithAllItsWords) {
  for (uint64_t i = 0; i < kBuckets; ++i) ASSERT_TRUE(this->table_.insert(entry<TypeParam>(i)));
  EXPECT_EQ(this->used(), kBuckets);
  for (uint64_t i = 0; i < kBuckets; ++i) {
    const Entry wanted = entry<TypeParam>(i, 0);
    const auto found = this->table_.find(wanted);
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(found->entry.slot(), 7);
    EXPECT_EQ(found->entry.beside, wanted.beside);
    EXPECT_EQ(found->entry.w1 & ~w1_of(static_cast<TypeParam*>(nullptr)).generation, wanted.w1);
  }
  EXPECT_FALSE(this->table_.find(entry<TypeParam>(kBuckets)));
}

TYPED_TEST(EntryTableTest, AFullPairOfBucketsTakesNoMoreAndLosesNothing) {
  size_t taken = 0;
  for (uint64_t i = 0; i < 4 * kBuckets * XD_WAYS; ++i) taken += this->table_.insert(entry<TypeParam>(i)) ? 1 : 0;
  EXPECT_EQ(this->used(), taken);
  EXPECT_GT(taken, kBuckets * XD_WAYS * 9 / 10) << "two choices fill a table well";
}

TYPED_TEST(EntryTableTest, ReplacingPutsAnotherSlotAndStateInTheSameWay) {
  ASSERT_TRUE(this->table_.insert(entry<TypeParam>(1)));
  const auto before = this->table_.find(entry<TypeParam>(1));
  ASSERT_TRUE(before);
  EXPECT_TRUE(this->table_.replace(*before, entry<TypeParam>(1, 9)));
  EXPECT_EQ(this->used(), 1u);
  EXPECT_EQ(this->table_.find(entry<TypeParam>(1))->entry.slot(), 9);
  EXPECT_FALSE(this->table_.replace(*before, entry<TypeParam>(1, 10))) << "it is not what was seen any more";
}

TYPED_TEST(EntryTableTest, EveryWriterMovesTheGenerationOn) {
  const auto generation = w1_of(static_cast<TypeParam*>(nullptr)).generation;
  ASSERT_TRUE(this->table_.insert(entry<TypeParam>(1)));
  const auto before = this->table_.find(entry<TypeParam>(1));
  ASSERT_TRUE(this->table_.replace(*before, entry<TypeParam>(1, 9)));
  const auto after = this->table_.find(entry<TypeParam>(1));
  EXPECT_EQ(((after->entry.w1 - before->entry.w1) & generation) == 0, generation == 0);
}

TYPED_TEST(EntryTableTest, OneThatIsThereTwiceStaysOnce) {
  ASSERT_TRUE(this->table_.insert(entry<TypeParam>(1, 3)));
  ASSERT_TRUE(this->table_.insert(entry<TypeParam>(1, 4)));  // as if the program had inserted it in between
  EXPECT_EQ(this->used(), 1u);
  EXPECT_TRUE(this->table_.find(entry<TypeParam>(1)));
}

TYPED_TEST(EntryTableTest, AWayThatIsBeingWrittenIsNotRead) {
  ASSERT_TRUE(this->table_.insert(entry<TypeParam>(1)));
  for (TypeParam& bucket : this->buckets_) {
    for (size_t i = 0; i < XD_WAYS; ++i) {
      if (way_at(bucket, i).w0 != 0) way_at(bucket, i).w0 = 1;
    }
  }
  EXPECT_EQ(this->used(), 0u);
}

// One thread gives a way to one flow after another of the same w0, as the program would; what another reads is always
// one flow's. (IPv4 has nothing but its two words, and the slot names what w1 says.)
TYPED_TEST(EntryTableTest, AReaderNeverSeesPartsOfTwoFlows) {
  auto flow = [](uint64_t i) {
    Entry e = entry<TypeParam>(1);
    if constexpr (!std::is_same_v<TypeParam, xd_bucket>) e.beside[0] = e.beside[1] = i;
    return e;
  };
  ASSERT_TRUE(this->table_.insert(flow(1)));
  size_t place = 0;
  while (!read_entry(this->buckets_[place / XD_WAYS], place % XD_WAYS)) ++place;
  std::jthread writer([&](const std::stop_token& stop) {
    for (uint64_t i = 2; !stop.stop_requested(); ++i) {
      const auto now = this->table_.find(flow(i - 1));
      ASSERT_TRUE(now);
      ASSERT_TRUE(this->table_.replace(*now, flow(i)));
    }
  });
  for (int i = 0; i < 1'000'000; ++i) {
    const std::optional<Entry> seen = read_entry(this->buckets_[place / XD_WAYS], place % XD_WAYS);
    if (!seen) continue;
    ASSERT_TRUE((std::is_same_v<TypeParam, xd_bucket>) || seen->beside[0] == seen->beside[1]);
  }
}

}  // namespace dataplane
