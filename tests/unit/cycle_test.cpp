// SPDX-License-Identifier: Apache-2.0
// wrr cycles: exact shares, no bursts, the same on every director.
#include "model/cycle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace model {

using testing::ElementsAre;

TEST(Cycle, EqualWeightsTakeTurnsInOrder) {
  EXPECT_THAT(make_cycle({{1, 1}, {2, 1}, {3, 1}}), ElementsAre(1, 2, 3));
  EXPECT_THAT(make_cycle({{1, 50}, {2, 50}}), ElementsAre(1, 2));
}

TEST(Cycle, SharesAreInProportionToTheWeightsAndSpread) {
  EXPECT_THAT(make_cycle({{1, 4}, {2, 2}, {3, 1}}), ElementsAre(1, 2, 1, 3, 1, 2, 1));
}

TEST(Cycle, EveryServerAppearsItsWeightOverTheCommonDivisorTimes) {
  const std::vector<WeightedSlot> servers{{1, 65535}, {2, 3}, {3, 0}, {4, 300}};
  const std::vector<uint16_t> cycle = make_cycle(servers);
  EXPECT_EQ(cycle.size(), cycle_length(servers));
  EXPECT_EQ(std::ranges::count(cycle, 1), 21845);
  EXPECT_EQ(std::ranges::count(cycle, 2), 1);
  EXPECT_EQ(std::ranges::count(cycle, 3), 0);
  EXPECT_EQ(std::ranges::count(cycle, 4), 100);
}

TEST(Cycle, NobodyComesInBursts) {
  EXPECT_THAT(make_cycle({{1, 5}, {2, 5}, {3, 10}}), ElementsAre(3, 1, 2, 3));
  EXPECT_THAT(make_cycle({{1, 1}, {2, 6}}), ElementsAre(2, 2, 2, 1, 2, 2, 2));
}

TEST(Cycle, WithoutWeightsIsEmpty) {
  EXPECT_TRUE(make_cycle({}).empty());
  EXPECT_TRUE(make_cycle({{1, 0}, {2, 0}}).empty());
  EXPECT_EQ(cycle_length({{1, 0}}), 0u);
}

}  // namespace model
