// SPDX-License-Identifier: Apache-2.0
// Targets under scripted probes: what is reported, and what a new ConfigureHealth changes.
#include "health/targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

namespace health {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint16_t kFtp = 9814, kRest = 9826;

model::TcpCheck check(uint16_t port, int retry = 0) {
  return {.connect_timeout = 3s, .retry = retry, .delay_before_retry = 1ms, .connect_port = port};
}

// delay_loop is short, so that the loop comes round at once; the first target is tried without delay.
ipc::HealthTarget target(uint64_t id, std::vector<model::TcpCheck> checks, bool up = true) {
  return {.id = id,
          .virtual_server = "ftp",
          .address = *base::Ipv4::parse("192.168.100.34"),
          .port = kFtp,
          .delay_loop = 1ms,
          .checks = std::move(checks),
          .up = up};
}

class HealthTargets : public testing::Test {
 protected:
  // Answers every try from the script of its port; where the script has ended the test answers by in_flight_.
  class ScriptedProbe : public Probe {
   public:
    ScriptedProbe(loop::Loop& loop, std::optional<Outcome> outcome, OnOutcome on_outcome)
        : timer_(loop, [outcome, on_outcome] { on_outcome(*outcome); }) {
      if (outcome) timer_.start(base::Duration::zero());
    }

   private:
    loop::Timer timer_;
  };

  std::unique_ptr<Probe> start(const model::TcpCheck& check, Probe::OnOutcome on_outcome) {
    ++tries_;
    auto& script = scripts_[check.connect_port];
    std::optional<Outcome> next;
    if (!script.empty()) {
      next = script.front();
      script.pop_front();
    }
    in_flight_ = on_outcome;
    return std::make_unique<ScriptedProbe>(loop_, next, std::move(on_outcome));
  }

  void script(uint16_t port, const std::string& tries) {
    for (const char c : tries) {
      scripts_[port].push_back(c == '+'   ? Outcome{Verdict::passed, "answers"}
                               : c == '-' ? Outcome{Verdict::failed, "refused"}
                                          : Outcome{Verdict::unknown, "no descriptors"});
    }
  }

  // Runs until `count` reports have come, and returns them: "1 up: answers", with a '?' when unknown.
  std::vector<std::string> reports(size_t count) {
    wanted_ = count;
    run();
    return std::exchange(reports_, {});
  }

  void run_until_tried(int tries) {
    wanted_tries_ = tries;
    run();
  }

  void run() {
    loop::Timer patience(loop_, [this] {
      ADD_FAILURE() << "nothing for 5 s";
      loop_.stop();
    });
    patience.start(5s);
    loop_.run();
  }

  void reported(const ipc::HealthReport& report) {
    reports_.push_back(std::to_string(report.id) + (report.up ? " up" : " down") + (report.unknown ? "?: " : ": ") +
                       report.outcome);
    if (reports_.size() >= wanted_) loop_.stop();
  }

  loop::Loop loop_;
  int tries_ = 0, wanted_tries_ = 0;
  size_t wanted_ = 0;
  Probe::OnOutcome in_flight_;  // of the last try
  std::map<uint16_t, std::deque<Outcome>> scripts_;
  std::vector<std::string> reports_;
  Targets targets_{
      loop_,
      [this](loop::Loop&, const ipc::HealthTarget&, const model::TcpCheck& check, Probe::OnOutcome on_outcome) {
        auto probe = start(check, std::move(on_outcome));
        if (tries_ == wanted_tries_) loop_.stop();
        return probe;
      },
      [this](const ipc::HealthReport& report) { reported(report); }};
};

}  // namespace

TEST_F(HealthTargets, ReportsTheEndOfEverySeriesNotEveryTry) {
  script(kFtp, "+--+---+");
  targets_.configure({target(1, {check(kFtp, 2)})});
  EXPECT_THAT(reports(4),
              ElementsAre("1 up: answers", "1 up: answers", "1 down: refused (try 3 of 3)", "1 up: answers"));
}

TEST_F(HealthTargets, BeginsWithTheLastKnownHealth) {
  script(kFtp, "-+");
  targets_.configure({target(1, {check(kFtp, 3)}, false)});
  EXPECT_THAT(reports(2), ElementsAre("1 down: refused", "1 up: answers"));
}

TEST_F(HealthTargets, AFailureOfOurOwnIsReportedAsSuchAndChangesNothing) {
  script(kFtp, "uu-u+");
  targets_.configure({target(1, {check(kFtp)})});
  EXPECT_THAT(reports(5), ElementsAre("1 up?: no descriptors", "1 up?: no descriptors", "1 down: refused",
                                      "1 down?: no descriptors", "1 up: answers"));
}

TEST_F(HealthTargets, IsUpOnlyWhenAllItsChecksPass) {
  script(kFtp, "+");
  script(kRest, "-");
  targets_.configure({target(1, {check(kFtp), check(kRest)})});
  EXPECT_THAT(reports(2), ElementsAre("1 up: answers", "1 down: refused"));

  script(kFtp, "+");  // says what keeps the real server down, not what is well
  EXPECT_THAT(reports(1), ElementsAre("1 down: refused"));
}

TEST_F(HealthTargets, OneWithoutChecksIsUp) {
  targets_.configure({target(1, {}, false), target(2, {}, true)});
  EXPECT_THAT(reports_, ElementsAre("1 up: has no checks"));
}

TEST_F(HealthTargets, OneThatIsUnchangedNoticesNothing) {
  script(kFtp, "-");
  targets_.configure({target(1, {check(kFtp, 1)})});
  run_until_tried(2);  // one try has failed, the second is in flight

  ipc::HealthTarget same = target(1, {check(kFtp, 1)});
  same.virtual_server = "renamed";
  same.up = false;  // what control knew when it wrote this
  targets_.configure({same});

  EXPECT_THAT(reports_, IsEmpty());
  in_flight_({Verdict::failed, "refused"});
  EXPECT_THAT(reports_, ElementsAre("1 down: refused (try 2 of 2)"));
}

TEST_F(HealthTargets, OneWithOtherChecksKeepsItsLastHealthUntilTheyHaveSpoken) {
  script(kFtp, "-");
  targets_.configure({target(1, {check(kFtp)})});
  EXPECT_THAT(reports(1), ElementsAre("1 down: refused"));

  script(kRest, "-+");  // one that was up would be tried three times before it is down
  targets_.configure({target(1, {check(kRest, 2)}, true)});
  EXPECT_THAT(reports(2), ElementsAre("1 down: refused", "1 up: answers"));
}

TEST_F(HealthTargets, OneThatIsGoneIsNotCheckedAnyMore) {
  script(kFtp, "++");
  targets_.configure({target(1, {check(kFtp)})});
  EXPECT_THAT(reports(1), ElementsAre("1 up: answers"));
  script(kRest, "+");
  targets_.configure({target(2, {check(kRest)})});
  EXPECT_THAT(reports(1), ElementsAre("2 up: answers"));
  EXPECT_EQ(scripts_[kFtp].size(), 1u);
}

}  // namespace health
