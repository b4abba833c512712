// SPDX-License-Identifier: Apache-2.0
// Weighted round robin is exact; the consistent hash is the same everywhere.
#include "bpf/fixture.hpp"

#include <map>
#include <set>

namespace test {

class Schedule : public EachFamily {
 protected:
  std::map<uint16_t, int> open_connections(int count) {
    std::map<uint16_t, int> per_slot;
    for (int i = 0; i < count; i++) {
      clear_connections();
      per_slot[slot_of(run(tcp(static_cast<uint16_t>(1000 + i), 9826, kSyn)))]++;
    }
    return per_slot;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Schedule, kBothFamilies, family_name);

TEST_P(Schedule, EveryCycleGivesEachRealServerItsWeight) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 2), real(33, 3)});
  const std::map<uint16_t, int> exact = {{rest.slots[0], 1}, {rest.slots[1], 2}, {rest.slots[2], 3}};
  for (int cycle = 0; cycle < 10; cycle++) EXPECT_EQ(open_connections(6), exact) << cycle;
}

TEST_P(Schedule, WeightZeroGetsNothing) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 0)});
  EXPECT_EQ(open_connections(8), (std::map<uint16_t, int>{{rest.slots[0], 8}}));
}

TEST_P(Schedule, ACycleLongerThanABlockIsWalkedWhole) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 50), real(32, 31)});
  EXPECT_EQ(open_connections(81), (std::map<uint16_t, int>{{rest.slots[0], 50}, {rest.slots[1], 31}}));
}

TEST_P(Schedule, VirtualServersHavePositionsOfTheirOwn) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31), real(32)});
  const auto other = virtual_server(vip_, 9827, kTcp, {real(33), real(34)});
  for (uint16_t i = 0; i < 4; i++) {
    clear_connections();
    EXPECT_EQ(slot_of(run(tcp(i + 1, 9826, kSyn))), rest.slots[i % 2]);
    EXPECT_EQ(slot_of(run(tcp(i + 1, 9827, kSyn))), other.slots[i % 2]);
  }
}

TEST_P(Schedule, TheHashIsStableAndDoesNotDependOnTheTablesSeed) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});
  std::set<uint16_t> used;
  for (uint16_t port = 1; port <= 64; port++) {
    std::set<uint16_t> chosen;
    for (const uint64_t seed : {1ULL, 0xfeedfacecafebeefULL}) {
      settings().hash_seed = seed;
      clear_connections();
      chosen.insert(slot_of(run(tcp(port, 9826, kAck))));
    }
    EXPECT_EQ(chosen.size(), 1U);
    used.insert(*chosen.begin());
  }
  EXPECT_EQ(used, (std::set<uint16_t>{rest.slots.begin(), rest.slots.end()}));
}

TEST_P(Schedule, TheHashDoesNotDependOnIndicesAndSlots) {
  const auto first = virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});
  std::vector<base::Mac> before, after;
  const auto hash_all = [&](std::vector<base::Mac>& macs) {
    for (uint16_t port = 1; port <= 32; port++) {
      clear_connections();
      macs.push_back(base::Mac::from_bytes(run(tcp(port, 9826, kAck)).bytes.data()));
    }
  };
  hash_all(before);
  remove_service(first);
  virtual_server(vip_, 1, kTcp, {real(31)});
  virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});  // with other slots, elsewhere
  hash_all(after);
  EXPECT_EQ(before, after);
}

TEST_P(Schedule, TheHashFollowsTheWeights) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 3)});
  std::map<uint16_t, int> per_slot;
  for (uint16_t port = 1; port <= 1000; port++) {
    clear_connections();
    per_slot[slot_of(run(tcp(port, 9826, kAck)))]++;
  }
  EXPECT_NEAR(per_slot[rest.slots[1]], 750, 75);
}

}  // namespace test
