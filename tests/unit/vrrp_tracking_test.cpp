// SPDX-License-Identifier: Apache-2.0
// What tracked things make of an instance.
#include "vrrp/tracking.hpp"

#include <gtest/gtest.h>

#include "vrrp/problems.hpp"
#include "vrrp/sync_group.hpp"

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using ipc::TrackerState;
using model::Tracked;
using model::TrackerKind;

TrackerState script(bool up, bool known = true) {
  return {.kind = TrackerKind::script, .name = "chk", .known = known, .up = up};
}
Tracked chk(int weight, bool reverse = false) {
  return {.kind = TrackerKind::script, .name = "chk", .weight = weight, .reverse = reverse};
}

TEST(TrackedThings, APositiveWeightIsAddedWhileUpANegativeOneWhileDown) {
  EXPECT_EQ(judge({chk(10)}, {script(true)}).weight, 10);
  EXPECT_EQ(judge({chk(10)}, {script(false)}).weight, 0);
  EXPECT_EQ(judge({chk(-10)}, {script(true)}).weight, 0);
  EXPECT_EQ(judge({chk(-10)}, {script(false)}).weight, -10);
}

TEST(TrackedThings, ReverseTakesDownForUp) {
  EXPECT_EQ(judge({chk(10, true)}, {script(false)}).weight, 10);
  EXPECT_EQ(judge({chk(-10, true)}, {script(true)}).weight, -10);
  EXPECT_EQ(judge({chk(0, true)}, {script(true)}).fault, "track_script chk is up");
}

TEST(TrackedThings, WithWeightZeroDownIsAFault) {
  EXPECT_EQ(judge({chk(0)}, {script(false)}).fault, "track_script chk is down");
  EXPECT_EQ(judge({chk(0)}, {script(true)}), Tracking{});
}

TEST(TrackedThings, WithoutAResultItIsNeutralAndWorthAWaitWithWeightZeroOnly) {
  EXPECT_EQ(judge({chk(0)}, {}).waiting_for, "the first result of track_script chk");
  EXPECT_EQ(judge({chk(0)}, {script(false, false)}).fault, "");
  EXPECT_EQ(judge({chk(-10)}, {script(false, false)}), Tracking{});
}

TEST(TrackedThings, AFilesNumberIsAFactor) {
  const Tracked file{.kind = TrackerKind::file, .name = "load", .weight = -2};
  const auto says = [](int value) {
    return std::vector<TrackerState>{{.kind = TrackerKind::file, .name = "load", .known = true, .value = value}};
  };
  EXPECT_EQ(judge({file}, says(20)).weight, -40);
  EXPECT_EQ(judge({file}, says(127)).fault, "track_file load says 127");
  Tracked zero = file;
  zero.weight = 0;
  EXPECT_EQ(judge({zero}, says(0)).fault, "");
  EXPECT_EQ(judge({zero}, says(1)).fault, "track_file load says 1");
}

TEST(TrackedThings, AReversedFileChangesTheSignAndMakesZeroTheFault) {
  const auto says = [](int value) {
    return std::vector<TrackerState>{{.kind = TrackerKind::file, .name = "load", .known = true, .value = value}};
  };
  EXPECT_EQ(judge({{.kind = TrackerKind::file, .name = "load", .weight = 2, .reverse = true}}, says(20)).weight, -40);
  EXPECT_EQ(judge({{.kind = TrackerKind::file, .name = "load", .reverse = true}}, says(0)).fault,
            "track_file load says 0");
  EXPECT_EQ(judge({{.kind = TrackerKind::file, .name = "load", .reverse = true}}, says(1)).fault, "");
}

TEST(TrackedThings, KindsDoNotShareNames) {
  EXPECT_EQ(judge({{.kind = TrackerKind::interface, .name = "chk", .weight = 5}}, {script(true)}).weight, 0);
}

TEST(TrackedThings, PrioritiesStayBetweenOneAnd254AndAnOwnersStays) {
  EXPECT_EQ(effective_priority(100, -300), 1);
  EXPECT_EQ(effective_priority(100, 300), 254);
  EXPECT_EQ(effective_priority(100, -20), 80);
  EXPECT_EQ(effective_priority(255, -20), 255);
}

TEST(SyncGroup, OnlyTakingAndLeavingAreNews) {
  using enum ipc::VrrpState;
  EXPECT_EQ(news_for_group("G", "VI_1", backup, master)->state, master);
  EXPECT_EQ(news_for_group("G", "VI_1", master, backup), (GroupNews{backup, "sync group G: VI_1 is BACKUP"}));
  EXPECT_FALSE(news_for_group("G", "VI_1", init, backup));
  EXPECT_FALSE(news_for_group("G", "VI_1", fault, backup));
  EXPECT_FALSE(news_for_group("G", "VI_1", master, fault)) << "told by group_fault_is";
  EXPECT_FALSE(news_for_group("G", "VI_1", master, master));
}

TEST(Problems, LastAsLongAsTheyAreSeenAndAreLoggedOnce) {
  const base::Ip peer = *base::Ip::parse("10.0.0.2");
  const base::Time start{1'000'000'000'000};
  Problems problems;
  EXPECT_TRUE(problems.seen("two_masters", peer, "once", start, 10s));
  EXPECT_FALSE(problems.seen("two_masters", peer, "again", start + 5s, 10s));
  ASSERT_EQ(problems.list().size(), 1u);
  EXPECT_EQ(problems.list()[0].text, "again");
  EXPECT_TRUE(problems.expire(start + 14s).empty());
  EXPECT_EQ(problems.expire(start + 15s).size(), 1u);
  EXPECT_TRUE(problems.list().empty());
}

TEST(Problems, ManyForgedPeersFillNoMemory) {
  Problems problems;
  for (uint32_t i = 0; i < 1000; ++i) {
    problems.seen("authentication", base::Ipv4::from_host(i), "x", base::Time{1}, 10s);
  }
  EXPECT_LE(problems.list().size(), 16u);
}

}  // namespace
}  // namespace vrrp
