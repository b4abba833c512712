// SPDX-License-Identifier: Apache-2.0
// Where schedules are placed: never on one that may still be read.
#include "model/schedule_space.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace model {

using testing::ElementsAre;

TEST(ScheduleSpace, TakesTheFirstGapThatIsLargeEnough) {
  const std::vector<Region> occupied{{40, 10}, {0, 10}, {12, 8}};
  EXPECT_THAT(*place_schedules(occupied, {2}, 100), ElementsAre(Region{10, 2}));
  EXPECT_THAT(*place_schedules(occupied, {3}, 100), ElementsAre(Region{20, 3}));
  EXPECT_THAT(*place_schedules(occupied, {21}, 100), ElementsAre(Region{50, 21}));
}

TEST(ScheduleSpace, SeveralDoNotOverlap) {
  EXPECT_THAT(*place_schedules({{5, 5}}, {5, 5, 5}, 20), ElementsAre(Region{0, 5}, Region{10, 5}, Region{15, 5}));
}

TEST(ScheduleSpace, ShortOnesFillTheSmallGaps) {
  EXPECT_THAT(*place_schedules({{2, 8}}, {6, 2, 4}, 20), ElementsAre(Region{14, 6}, Region{0, 2}, Region{10, 4}));
}

TEST(ScheduleSpace, AnEmptyScheduleNeedsNoRoom) {
  EXPECT_EQ(place_schedules({{0, 10}}, {0}, 10)->at(0).length, 0u);
}

TEST(ScheduleSpace, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(place_schedules({{3, 4}}, {4}, 10));
  EXPECT_TRUE(place_schedules({{3, 3}}, {4}, 10));
  EXPECT_FALSE(place_schedules({}, {4, 4, 4}, 10));
}

TEST(ScheduleSpace, ManyArePlacedInOnePass) {
  std::vector<Region> occupied;
  for (uint32_t i = 0; i < 10'000; ++i) occupied.push_back({i * 64, 32});
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(place_schedules(occupied, std::vector<uint32_t>(10'000, 33), 1U << 20));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(200)) << "not each gap for each";
}

}  // namespace model
