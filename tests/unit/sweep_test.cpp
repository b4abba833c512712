// SPDX-License-Identifier: Apache-2.0
// The sweep over the connection tables: what it counts, what it frees, what it leaves alone; in both families' tables.
#include <gtest/gtest.h>

#include <vector>

#include "dataplane/connections.hpp"

namespace dataplane {
namespace {

constexpr uint32_t kBuckets = 8;
constexpr uint16_t kSlot = 1, kUnusedSlot = 5;

class SweepTest : public testing::TestWithParam<bool> {
 protected:
  SweepTest() {
    real_servers_[kSlot].state = XD_ACTIVE;
    for (uint16_t state : {XD_OPENING, XD_CLOSING, XD_YOUNG, XD_PROVEN}) {
      real_servers_[kSlot].timeout_ticks[state] = state + 1;
    }
  }

  // In the table of the family that is the parameter.
  xd_way& put(uint32_t bucket, uint32_t way, xd_connection_state state, uint32_t tick, uint16_t slot = kSlot) {
    xd_way& place = (GetParam() ? buckets6_[bucket].ways : buckets_[bucket]).way[way];
    place.client = 0x1f64a8c0;
    place.client_port = 40000;
    place.slot = slot;
    place.state = state;
    place.tick = tick;
    return place;
  }

  void whole_pass(uint32_t tick) { EXPECT_TRUE(sweep_.step(sweep_.size(), tick)); }

  std::vector<xd_bucket> buckets_{kBuckets};
  std::vector<xd_bucket6> buckets6_{kBuckets};
  std::vector<xd_real_server> real_servers_{8};
  Sweep sweep_{buckets_, buckets6_, real_servers_};
};

std::string family_name(const testing::TestParamInfo<bool>& info) {
  return info.param ? "IPv6" : "IPv4";
}

INSTANTIATE_TEST_SUITE_P(Family, SweepTest, testing::Bool(), family_name);

}  // namespace

TEST_P(SweepTest, CountsActiveAndInactiveConnectionsOfEachSlot) {
  put(0, 0, XD_YOUNG, 0);
  put(0, 3, XD_PROVEN, 0);
  put(7, 0, XD_OPENING, 0);
  put(7, 1, XD_CLOSING, 0);
  EXPECT_FALSE(sweep_.step(sweep_.size() - 1, 0));
  EXPECT_EQ(sweep_.counts()[kSlot].active, 0u) << "a pass that has not ended says nothing";
  EXPECT_TRUE(sweep_.step(1, 0));
  EXPECT_EQ(sweep_.counts()[kSlot].active, 2u);
  EXPECT_EQ(sweep_.counts()[kSlot].inactive, 2u);
}

TEST_P(SweepTest, FreesWhatHasExpiredByTheTimeoutOfItsState) {
  const xd_way& opening = put(0, 0, XD_OPENING, 0);  // 1 tick
  const xd_way& proven = put(0, 1, XD_PROVEN, 0);    // 4 ticks
  whole_pass(1);
  EXPECT_NE(opening.w0, 0u);
  whole_pass(2);
  EXPECT_EQ(opening.w0, 0u);
  EXPECT_NE(proven.w0, 0u);
  whole_pass(5);
  EXPECT_EQ(proven.w0, 0u);
}

TEST_P(SweepTest, FreesAWayWithoutTouchingTheRestOfIt) {
  const xd_way& way = put(0, 0, XD_PROVEN, 0);
  const uint64_t w1 = way.w1;
  whole_pass(5);
  EXPECT_EQ(way.w1, w1) << "an IPv6 way's generation goes on from there";
}

TEST_P(SweepTest, KnowsThatTicksWrap) {
  const xd_way& way = put(0, 0, XD_PROVEN, XD_TICKS - 1);
  whole_pass(XD_TICKS + 3);
  EXPECT_NE(way.w0, 0u);
  whole_pass(XD_TICKS + 4);
  EXPECT_EQ(way.w0, 0u);
}

TEST_P(SweepTest, AWaySeenInATickThatBeganDuringThePassIsNewNotOld) {
  const xd_way& way = put(0, 0, XD_PROVEN, 1);
  whole_pass(0);
  EXPECT_NE(way.w0, 0u) << "a busy connection would be lost now and again";
  EXPECT_EQ(sweep_.counts()[kSlot].active, 1u);
}

TEST_P(SweepTest, FreesWhatNamesASlotThatIsNotInUse) {
  const xd_way& way = put(0, 0, XD_PROVEN, 0, kUnusedSlot);
  whole_pass(0);
  EXPECT_EQ(way.w0, 0u);
}

TEST_P(SweepTest, LeavesAWayAloneThatIsBeingWritten) {
  xd_way& way = put(0, 0, XD_PROVEN, 0);
  way.w0 = 1;
  whole_pass(100);
  EXPECT_EQ(way.w0, 1u);
}

TEST(SweepOfBothFamilies, IsOnePassAndOneCount) {
  std::vector<xd_bucket> buckets(2);
  std::vector<xd_bucket6> buckets6(3);
  std::vector<xd_real_server> real_servers(2);
  real_servers[1].state = XD_ACTIVE;
  for (xd_way* way : {&buckets[0].way[0], &buckets6[2].ways.way[3]}) {
    way->client = 1;
    way->slot = 1;
    way->state = XD_PROVEN;
  }
  Sweep sweep(buckets, buckets6, real_servers);
  EXPECT_FALSE(sweep.step(4, 0));
  EXPECT_TRUE(sweep.step(4, 0)) << "a slot is idle only when no connection of either family holds it";
  EXPECT_EQ(sweep.counts()[1].active, 2u);
}

}  // namespace dataplane
