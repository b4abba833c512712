// SPDX-License-Identifier: Apache-2.0
// Where cycles are placed: never on one that may still be read.
#include "model/schedule_space.hpp"

#include <gtest/gtest.h>

namespace model {

TEST(ScheduleSpace, TakesTheFirstGapThatIsLargeEnough) {
  const Regions occupied{{0, {0, 10}}, {1, {12, 8}}, {2, {40, 10}}};
  EXPECT_EQ(place_cycles(occupied, {{5, 2}}, 100)->at(5), (Region{10, 2}));
  EXPECT_EQ(place_cycles(occupied, {{5, 3}}, 100)->at(5), (Region{20, 3}));
  EXPECT_EQ(place_cycles(occupied, {{5, 21}}, 100)->at(5), (Region{50, 21}));
}

TEST(ScheduleSpace, ANewCycleStandsBesideTheOldOneOfTheSameServer) {
  EXPECT_EQ(place_cycles({{0, {0, 10}}}, {{0, 10}}, 100)->at(0), (Region{10, 10}));
}

TEST(ScheduleSpace, SeveralDoNotOverlap) {
  const Regions placed = *place_cycles({{9, {5, 5}}}, {{1, 5}, {2, 5}, {3, 5}}, 20);
  EXPECT_EQ(placed, (Regions{{1, {0, 5}}, {2, {10, 5}}, {3, {15, 5}}}));
}

TEST(ScheduleSpace, AnEmptyCycleNeedsNoRoom) {
  EXPECT_EQ(place_cycles({{0, {0, 10}}}, {{1, 0}}, 10)->at(1).length, 0u);
}

TEST(ScheduleSpace, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(place_cycles({{0, {3, 4}}}, {{1, 4}}, 10));
  EXPECT_TRUE(place_cycles({{0, {3, 3}}}, {{1, 4}}, 10));
}

}  // namespace model
