// SPDX-License-Identifier: Apache-2.0
// When a child is restarted, and when it is held to hang.
#include <gtest/gtest.h>

#include "control/backoff.hpp"
#include "control/liveness.hpp"

namespace control {

using namespace std::chrono_literals;

TEST(Backoff, GrowsFromNothingToAMinute) {
  Backoff backoff;
  for (const base::Duration expected : {0s, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) EXPECT_EQ(backoff.after(1s), expected);
}

TEST(Backoff, StartsAnewForAChildThatLivedLong) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) backoff.after(1s);
  EXPECT_EQ(backoff.after(61s), 0s);
  EXPECT_EQ(backoff.after(1s), 1s);
}

class LivenessTest : public testing::Test {
 protected:
  base::Time at(base::Duration d) const { return base::Time{} + d; }
  // Judges every period from `from` to `to`, as the timer would.
  bool hangs(base::Duration from, base::Duration to) {
    bool any = false;
    for (base::Duration t = from; t <= to; t += 250ms) any = liveness_.hangs(at(t)) || any;
    return any;
  }

  Liveness liveness_{1500ms, 250ms, base::Time{}};
};

TEST_F(LivenessTest, AChildThatBeatsLives) {
  for (base::Duration t = 0ms; t < 10s; t += 250ms) {
    liveness_.beat(at(t));
    EXPECT_FALSE(liveness_.hangs(at(t)));
  }
}

TEST_F(LivenessTest, OneThatHasNotBeatenYetIsStarting) {
  EXPECT_FALSE(hangs(0ms, 10s));
  EXPECT_TRUE(hangs(10250ms, 10250ms));
}

TEST_F(LivenessTest, OneThatStopsHangsAfterItsPatience) {
  liveness_.beat(at(0ms));
  EXPECT_FALSE(hangs(0ms, 1500ms));
  EXPECT_TRUE(hangs(1750ms, 1750ms));
}

TEST_F(LivenessTest, AHeartbeatCountsFromWhenItWasStamped) {
  liveness_.beat(at(0ms));
  EXPECT_FALSE(hangs(0ms, 1500ms));
  liveness_.beat(at(100ms));  // written long ago, read only now
  EXPECT_TRUE(hangs(1750ms, 1750ms));
}

TEST_F(LivenessTest, AJudgeThatOversleptGivesAFullPeriod) {
  liveness_.beat(at(0ms));
  EXPECT_FALSE(hangs(0ms, 500ms));
  EXPECT_FALSE(liveness_.hangs(at(60s))) << "both were suspended";
  EXPECT_FALSE(hangs(60250ms, 61500ms));
  EXPECT_TRUE(hangs(61750ms, 61750ms)) << "and it has not been heard since";
}

}  // namespace control
