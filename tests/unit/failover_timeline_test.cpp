// SPDX-License-Identifier: Apache-2.0
// The figures of tests/bench/failover: what counts as lost, how long an outage is, who answered when.
#include "bench/failover/timeline.hpp"

#include <gtest/gtest.h>

namespace failover {
namespace {

Probe answered(int64_t sent_ms, int64_t after_ms = 0, std::string by = "director-1") {
  return {.sent = sent_ms * kMillisecond, .answered = (sent_ms + after_ms) * kMillisecond, .by = std::move(by)};
}
Probe lost(int64_t sent_ms) {
  return {.sent = sent_ms * kMillisecond};
}

TEST(FailoverTimeline, AnOutageReachesFromTheFirstLostProbeToTheNextAnsweredOne) {
  EXPECT_EQ(outage_ms({answered(0), answered(1), answered(2)}), 0);
  EXPECT_EQ(outage_ms({answered(0), lost(1), lost(2), answered(3)}), 2);
  EXPECT_EQ(outage_ms({lost(0), answered(1), lost(10), lost(15), answered(20), lost(30)}), 10);
}

TEST(FailoverTimeline, AProberThatPausesIsNoOutage) {
  EXPECT_EQ(outage_ms({answered(0), answered(500)}), 0);
}

TEST(FailoverTimeline, AnswersAndFramesCountFromTheEvent) {
  Timeline timeline;
  timeline.event = 10 * kMillisecond;
  timeline.probes["director"] = {answered(5, 1), lost(11), answered(12, 2, "director-2"),
                                 answered(20, 1, "director-2")};
  timeline.advertisements["192.0.2.1"] = {0, 4 * kMillisecond, 13 * kMillisecond};
  const nlohmann::json result = figures(timeline);
  const nlohmann::json& service = result["services"]["director"];
  EXPECT_EQ(service["sent"], 4);
  EXPECT_EQ(service["lost"], 1);
  EXPECT_EQ(service["slowest_ms"], 2.0);
  EXPECT_EQ(service["answers"]["director-1"]["count"], 0);
  EXPECT_EQ(service["answers"]["director-2"], (nlohmann::json{{"count", 2}, {"first_ms", 4.0}, {"last_ms", 11.0}}));
  EXPECT_EQ(result["advertisements"]["192.0.2.1"],
            (nlohmann::json{{"count", 1}, {"first_ms", 3.0}, {"last_ms", 3.0}, {"longest_gap_ms", 9.0}}));
}

}  // namespace
}  // namespace failover
