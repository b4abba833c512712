// SPDX-License-Identifier: Apache-2.0
// lc and wlc: the next connections as IPVS would give them.
#include "model/least_connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace model {

using testing::Each;
using testing::ElementsAre;

namespace {
constexpr uint64_t kActive = kActiveOverhead;
}

TEST(LeastConnections, EqualLoadsTakeTurns) {
  EXPECT_THAT(least_connections({{1, 1}, {2, 1}, {3, 1}}, 7), ElementsAre(1, 2, 3, 1, 2, 3, 1));
  EXPECT_THAT(least_connections({{1, 1, 9 * kActive}, {2, 1, 9 * kActive}}, 4), ElementsAre(1, 2, 1, 2));
}

TEST(LeastConnections, TheLeastLoadedCatchesUpAndNoFurther) {
  const std::vector<uint16_t> cycle = least_connections({{1, 1, 10 * kActive}, {2, 1, 0}, {3, 1, 10 * kActive}}, 40);
  EXPECT_THAT(std::vector(cycle.begin(), cycle.begin() + 10), Each(2));
  EXPECT_EQ(std::ranges::count(cycle, 1), 10);
  EXPECT_EQ(std::ranges::count(cycle, 2), 20);
  EXPECT_EQ(std::ranges::count(cycle, 3), 10);
}

TEST(LeastConnections, LoadIsPerWeight) {
  const std::vector<uint16_t> cycle = least_connections({{1, 1}, {2, 3}}, 400);
  EXPECT_EQ(std::ranges::count(cycle, 1), 100);
  EXPECT_EQ(std::ranges::count(cycle, 2), 300);
  EXPECT_THAT(least_connections({{1, 1, 2 * kActive}, {2, 4, 6 * kActive}}, 3), ElementsAre(2, 2, 1))
      << "2 per weight against 6/4, 7/4, 8/4";
}

TEST(LeastConnections, AnActiveConnectionWeighsAsManyInactiveOnes) {
  EXPECT_THAT(least_connections({{1, 1, kActive}, {2, 1, 255 * kInactiveOverhead}}, 2), ElementsAre(2, 1));
  EXPECT_THAT(least_connections({{1, 1, kActive}, {2, 1, 257 * kInactiveOverhead}}, 2), ElementsAre(1, 2));
}

TEST(LeastConnections, WeightZeroGetsNone) {
  EXPECT_THAT(least_connections({{1, 0}, {2, 1, 100 * kActive}}, 3), Each(2));
  EXPECT_TRUE(least_connections({{1, 0}}, 3).empty());
  EXPECT_TRUE(least_connections({}, 3).empty());
}

TEST(LeastConnections, ManyConnectionsAndLargeWeightsDoNotOverflow) {
  constexpr uint64_t kMost = uint64_t{1} << 26;
  EXPECT_THAT(least_connections({{1, 65535, kMost * kActive}, {2, 1, kMost / 65535 * kActive}}, 1), ElementsAre(2));
  EXPECT_THAT(least_connections({{1, 65535, kMost * kActive}, {2, 1, kMost * kActive}}, 2), ElementsAre(1, 1));
}

TEST(LeastConnections, PlansForTwiceAsManyAsCameWithinBounds) {
  EXPECT_EQ(least_connections_length(0, 1), 64u);
  EXPECT_EQ(least_connections_length(100, 1), 200u);
  EXPECT_EQ(least_connections_length(1'000'000'000, 1), 4096u);
  EXPECT_EQ(least_connections_length(1'000'000, 1024), XD_SCHEDULE_SLOTS / 16 / 1024) << "they share the space";
  EXPECT_EQ(least_connections_length(1'000'000, 1U << 30), 64u);
}

}  // namespace model
