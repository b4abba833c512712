// SPDX-License-Identifier: Apache-2.0
// Full buckets: a new connection takes the way that matters least, and never one that matters.
#include "bpf/fixture.hpp"

namespace test {

class FullBuckets : public EachFamily {
 protected:
  static constexpr uint32_t kOld = 61;  // ticks; less than any timeout, more than a young connection may be silent

  void SetUp() override {
    EachFamily::SetUp();
    if (ready()) rest_ = virtual_server(vip_, 9826, kTcp, {one_, two_});
  }

  // A way of somebody else's connection, seen `age` ticks ago.
  void occupy(uint32_t way, xd_connection_state state, uint32_t age) {
    put_connection({.way = way,
                    .client = host(static_cast<int>(way) + 1, 10),
                    .client_port = 1,
                    .slot = rest_.slots[0],
                    .state = state,
                    .tick = (XD_TICKS - age) % XD_TICKS},
                   vip_, 9826);
  }
  void occupy_all(xd_connection_state state, uint32_t age) {
    for (uint32_t way = 0; way < kWays; way++) occupy(way, state, age);
  }
  // Opens a connection; the way it took, or none.
  std::optional<uint32_t> taken_by_new() {
    run(tcp(40000, 9826, kSyn));
    for (const auto& connection : connections()) {
      if (connection.client_port == 40000) return connection.way;
    }
    return std::nullopt;
  }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer rest_;
};

INSTANTIATE_TEST_SUITE_P(Both, FullBuckets, kBothFamilies, family_name);

TEST_P(FullBuckets, ANewConnectionStaysInItsFirstBucketWhileThatHasRoomToSpare) {
  const uint32_t first = *taken_by_new() / XD_WAYS;
  clear_connections();
  for (uint32_t way = 0; way < XD_WAYS - 2; way++) occupy(first * XD_WAYS + way, XD_PROVEN, 0);
  EXPECT_EQ(*taken_by_new() / XD_WAYS, first);
}

TEST_P(FullBuckets, ThenItGoesIntoTheEmptierBucket) {
  for (const uint32_t fuller : {0U, 1U}) {
    clear_connections();
    for (uint32_t way = 0; way < XD_WAYS - 1; way++) occupy(fuller * XD_WAYS + way, XD_PROVEN, 0);
    const uint32_t emptier = 1 - fuller;
    EXPECT_EQ(*taken_by_new() / XD_WAYS, emptier);
  }
}

TEST_P(FullBuckets, TheLeastImportantWayIsTaken) {
  const std::vector<std::pair<xd_connection_state, uint32_t>> from_least = {
      {XD_PROVEN, kNever + 1U}, {XD_OPENING, kOld}, {XD_CLOSING, kOld}, {XD_YOUNG, kOld}};
  for (size_t i = 0; i < from_least.size(); i++) {
    clear_connections();
    occupy_all(XD_PROVEN, kOld);
    for (size_t j = from_least.size(); j-- > i;) {  // the less important, the later in the table
      occupy(static_cast<uint32_t>(6 - j), from_least[j].first, from_least[j].second);
    }
    EXPECT_EQ(taken_by_new(), 6 - i);
  }
}

TEST_P(FullBuckets, OfEqualsTheOldestIsTaken) {
  for (const uint32_t oldest : {1U, 6U}) {
    clear_connections();
    occupy_all(XD_OPENING, kOld);
    occupy(oldest, XD_OPENING, kOld + 1);
    EXPECT_EQ(taken_by_new(), oldest);
  }
}

TEST_P(FullBuckets, AProvenConnectionIsNeverDisplaced) {
  occupy_all(XD_PROVEN, kOld);
  const auto out = run(tcp(40000, 9826, kSyn));
  EXPECT_EQ(out.verdict, verdict_unlearned);
  EXPECT_EQ(out.action, XDP_TX);
  for (const auto& connection : connections()) EXPECT_NE(connection.client_port, 40000);
  EXPECT_EQ(connections().size(), kWays);
}

TEST_P(FullBuckets, AYoungConnectionIsDisplacedOnlyAfterAMinuteOfSilence) {
  occupy_all(XD_YOUNG, kOld - 1);
  EXPECT_EQ(taken_by_new(), std::nullopt) << "it is established, and its client pauses";
  occupy(3, XD_YOUNG, kOld);
  EXPECT_EQ(taken_by_new(), 3U);
}

TEST_P(FullBuckets, WhatWasSeenInThisOrThePreviousTickIsNotReplaced) {
  for (const uint32_t age : {0U, 1U}) {
    occupy_all(XD_OPENING, age);
    EXPECT_EQ(taken_by_new(), std::nullopt) << age;
  }
  occupy(3, XD_OPENING, 2);
  EXPECT_EQ(taken_by_new(), 3U);
}

TEST_P(FullBuckets, AWayBeingWrittenIsLeftAlone) {
  occupy_all(XD_PROVEN, kOld);
  occupy(2, XD_OPENING, kOld);
  lock_way(2);
  EXPECT_EQ(taken_by_new(), std::nullopt);
  EXPECT_TRUE(way_is_locked(2));
}

TEST_P(FullBuckets, UnlearnedPacketsGoWhereTheHashSays) {
  occupy_all(XD_PROVEN, kOld);
  const auto syn = run(tcp(40000, 9826, kSyn));
  EXPECT_EQ(syn.verdict, verdict_unlearned);
  for (int i = 0; i < 5; i++) {
    const auto ack = run(tcp(40000, 9826, kAck));
    EXPECT_EQ(ack.verdict, verdict_unlearned);
    EXPECT_EQ(slot_of(ack), slot_of(syn));
  }
  EXPECT_EQ(entry(rest_).position, 0U);  // the scheduler gave nothing away
  EXPECT_EQ(stats(rest_.slots[0]).connections + stats(rest_.slots[1]).connections, 0U);
}

TEST_P(FullBuckets, UnlearnedPacketsFollowTheTemplate) {
  persist(rest_, 300);
  const auto slot = slot_of(run(tcp(39999, 9826, kSyn)));
  occupy_all(XD_PROVEN, kOld);
  for (uint16_t port = 40000; port < 40010; port++) {
    const auto out = run(tcp(port, 9826, kSyn));
    EXPECT_EQ(out.verdict, verdict_unlearned);
    EXPECT_EQ(slot_of(out), slot);
  }
}

TEST_P(FullBuckets, AllEightWaysAreUsedAndFound) {
  for (uint16_t port = 1; port <= kWays; port++) EXPECT_EQ(run(tcp(port, 9826, kSyn)).verdict, verdict_scheduled);
  EXPECT_EQ(connections().size(), kWays);
  for (uint16_t port = 1; port <= kWays; port++) EXPECT_EQ(run(tcp(port, 9826, kAck)).verdict, verdict_forwarded);
}

}  // namespace test
