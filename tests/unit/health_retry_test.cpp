// SPDX-License-Identifier: Apache-2.0
// The retry logic of the reference deployment: delay_loop 6, retry 3, delay_before_retry 3. Times are given, none
// passes.
#include "health/retry.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace health {
namespace {

using namespace std::chrono_literals;

constexpr Timing kReference{.delay_loop = 6s, .delay_before_retry = 3s, .retry = 3};

// The tries one after another ('+' passed, '-' failed, 'u' unknown), as one line per try:
// "up 6" is up and tried again after 6 s; "*" ended its series.
std::vector<std::string> run(const std::string& tries, const Timing& timing, CheckState state = {}) {
  std::vector<std::string> lines;
  for (const char c : tries) {
    const Step step = after_try(state, timing,
                                c == '+'   ? Verdict::passed
                                : c == '-' ? Verdict::failed
                                           : Verdict::unknown);
    state = step.state;
    lines.push_back((state.up ? "up " : "down ") + std::to_string(step.next_try / 1s) + (step.series_ended ? "*" : ""));
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST(HealthRetry, OneThatPassesIsTriedEveryDelayLoop) {
  EXPECT_EQ(run("++", kReference), (Lines{"up 6*", "up 6*"}));
}

TEST(HealthRetry, IsDownOnlyWhenTheLastRetryFailsToo) {
  EXPECT_EQ(run("----", kReference), (Lines{"up 3", "up 3", "up 3", "down 6*"}));
}

TEST(HealthRetry, ATryThatPassesForgetsTheFailuresBeforeIt) {
  EXPECT_EQ(run("---+----", kReference), (Lines{"up 3", "up 3", "up 3", "up 6*", "up 3", "up 3", "up 3", "down 6*"}));
}

TEST(HealthRetry, WhileDownEveryTryIsASeriesOfItsOwn) {
  EXPECT_EQ(run("--", kReference, {.up = false}), (Lines{"down 6*", "down 6*"}));
}

TEST(HealthRetry, TheFirstTryThatPassesBringsItUpWithAllItsRetries) {
  EXPECT_EQ(run("+----", kReference, {.up = false}), (Lines{"up 6*", "up 3", "up 3", "up 3", "down 6*"}));
}

TEST(HealthRetry, WithoutRetriesTheFirstFailureIsDown) {
  EXPECT_EQ(run("-", {.delay_loop = 6s, .delay_before_retry = 3s, .retry = 0}), (Lines{"down 6*"}));
}

TEST(HealthRetry, AFailureOfOurOwnNeverCountsHoweverOftenItHappens) {
  EXPECT_EQ(run("uuuuuuuuuu", kReference), Lines(10, "up 6*"));
  EXPECT_EQ(run("uuuuuuuuuu", kReference, {.up = false}), Lines(10, "down 6*"));
}

TEST(HealthRetry, AFailureOfOurOwnWithinASeriesLeavesTheCountAsItIs) {
  EXPECT_EQ(run("--u--", kReference), (Lines{"up 3", "up 3", "up 6*", "up 3", "down 6*"}));
  EXPECT_EQ(run("--u+-", kReference), (Lines{"up 3", "up 3", "up 6*", "up 6*", "up 3"}));
}

TEST(HealthRetry, TriesAreNumberedForTheLog) {
  CheckState state;
  for (int number = 1; number <= 4; ++number) {
    const Step step = after_try(state, kReference, Verdict::failed);
    EXPECT_EQ(step.number, number);
    EXPECT_EQ(step.of, 4);
    state = step.state;
  }
  EXPECT_EQ(after_try(state, kReference, Verdict::failed).of, 1) << "while down there are no retries";
}

TEST(HealthRetry, FirstTriesAreSpreadEvenlyOverTheDelayLoop) {
  EXPECT_EQ(first_try(0, 4, 4s), 0s);
  EXPECT_EQ(first_try(1, 4, 4s), 1s);
  EXPECT_EQ(first_try(3, 4, 4s), 3s);
  EXPECT_EQ(first_try(0, 1, 6s), 0s) << "one alone need not wait";
}

TEST(HealthRetry, ALongDelayLoopDoesNotDelayTheFirstTryForLong) {
  EXPECT_EQ(first_try(1, 2, 3600s), 2500ms);
  for (size_t i = 0; i < 1000; ++i) EXPECT_LT(first_try(i, 1000, 3600s), 5s);
}

}  // namespace health
