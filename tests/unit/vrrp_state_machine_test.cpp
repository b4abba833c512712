// SPDX-License-Identifier: Apache-2.0
// The state machine beside RFC 3768 section 6.4, row by row. Times are given, nothing waits.
#include "vrrp/state_machine.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using base::Time;
using Actions = std::vector<std::string>;  // as text: what went wrong can be read

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

constexpr Time kStart{1'000'000'000'000};

// A machine under test with a clock that the test moves. A SendAdvertisement is answered with Sent, as an instance
// does; the actions of both are seen as one list.
class StateMachine : public testing::Test {
 protected:
  Actions happens(const Event& event) {
    Actions done;
    for (std::deque<Event> events{event}; !events.empty(); events.pop_front()) {
      Step next = step(m, p, events.front(), now);
      m = std::move(next.machine);
      for (const Action& action : next.actions) {
        done.push_back(text(action));
        if (std::holds_alternative<action::SendAdvertisement>(action)) events.push_back(event::Sent{sending_works});
      }
    }
    return done;
  }

  std::string text(const Action& action) const {
    struct Text {
      Time now;
      std::string operator()(const action::SendAdvertisement& a) const {
        return fmt::format("advertise {}", a.priority);
      }
      std::string operator()(const action::RenewLease& a) const {
        return fmt::format("lease {} s", base::seconds(a.until - now));
      }
      std::string operator()(const action::EndLease&) const { return "end lease"; }
      std::string operator()(const action::AddAddresses&) const { return "add addresses"; }
      std::string operator()(const action::RemoveAddresses&) const { return "remove addresses"; }
      std::string operator()(const action::Announce& a) const {
        return a.times == 5 ? "announce" : fmt::format("announce {}", a.times);
      }
    };
    return std::visit(Text{now}, action);
  }

  // Moves the clock to the next deadline.
  Actions deadline() {
    now = m.next_deadline().value();
    return happens(event::Timer{});
  }

  Actions hear(uint8_t priority, const char* source = "10.0.0.9") {
    return happens(event::Received{priority, ip(source)});
  }

  void be_backup() {
    happens(event::Startup{});
    ASSERT_EQ(m.state, VrrpState::backup);
  }

  void be_master() {
    be_backup();
    deadline();
    ASSERT_EQ(m.state, VrrpState::master);
    // Past the second announcement, with the next advertisement just sent.
    const Time taken = now;
    while (now < taken + 6s) deadline();
  }

  Parameters p{.priority = 100, .source = ip("10.0.0.1")};
  Machine m;
  Time now = kStart;
  bool sending_works = true;
};

const Actions kNothing;
constexpr base::Duration kLongestSkew = base::Duration(1s) * 255 / 256;

// Of priority 100, in version 3.
base::Duration skew_of(base::Duration interval) {
  return interval * 156 / 256;
}
const Actions kRelease{"remove addresses", "end lease"};

// --- timers

TEST(VrrpTimers, SkewAndMasterDownAreTheRfcsNotScaledByTheInterval) {
  EXPECT_EQ(skew_time({.priority = 100}, 1s), 609'375us);
  EXPECT_EQ(skew_time({.priority = 50}, 1s), 804'687'500ns);
  EXPECT_EQ(skew_time({.priority = 254}, 7s), 7'812'500ns);
  EXPECT_EQ(skew_time({.priority = 255}, 7s), 3'906'250ns);
  EXPECT_EQ(master_down_interval({.priority = 100}, 1s), 3'609'375us);
  EXPECT_EQ(master_down_interval({.priority = 50}, 5s), 15s + 804'687'500ns);
}

TEST(VrrpTimers, Version3ScalesTheSkewByTheMastersInterval) {
  EXPECT_EQ(skew_time({.version = 3, .priority = 50}, 100ms), 80'468'750ns);
  EXPECT_EQ(master_down_interval({.version = 3, .priority = 50}, 100ms), 380'468'750ns);
}

// --- INIT

TEST_F(StateMachine, StartsAsBackupWithoutLeftoversAndWaitsOutTheMasterDownInterval) {
  EXPECT_EQ(happens(event::Startup{}), kRelease);
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(m.next_deadline(), now + 3'609'375us);
}

TEST_F(StateMachine, TheAddressOwnerIsMasterAtOnce) {
  p.priority = 255;
  EXPECT_EQ(happens(event::Startup{}),
            (Actions{"remove addresses", "end lease", "advertise 255", "lease 3 s", "add addresses", "announce"}));
  EXPECT_EQ(m.state, VrrpState::master);
}

TEST_F(StateMachine, AnOwnLeaseThatRunsIsResumedAndAnnouncedOnce) {
  EXPECT_EQ(happens(event::Startup{.resume = true}),
            (Actions{"advertise 100", "lease 3 s", "add addresses", "announce"}));
  EXPECT_EQ(m.state, VrrpState::master);
  EXPECT_EQ(m.announce_timer, now + 60s) << "only to refresh";
}

TEST_F(StateMachine, NothingIsResumedWhenABetterMasterWasHeardFirst) {
  EXPECT_EQ(hear(200), kNothing);
  EXPECT_EQ(happens(event::Startup{.resume = true}), kRelease);
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(StateMachine, ALesserMasterHeardFirstDoesNotKeepUsFromResuming) {
  hear(50);
  hear(0);
  happens(event::Startup{.resume = true});
  EXPECT_EQ(m.state, VrrpState::master);
}

// --- BACKUP

TEST_F(StateMachine, SilenceMakesABackupMasterAdvertisementFirstThenLeaseThenAddressThenAnnouncement) {
  be_backup();
  EXPECT_EQ(deadline(), (Actions{"advertise 100", "lease 3 s", "add addresses", "announce"}));
  EXPECT_EQ(now, kStart + 3'609'375us);
  EXPECT_EQ(m.state, VrrpState::master);
  EXPECT_EQ(m.reason, "no advertisement for 3.6 s");
  EXPECT_EQ(m.master, p.source);
  EXPECT_EQ(m.adver_timer, now + 1s);
  EXPECT_EQ(m.announce_timer, now + 5s);
  EXPECT_EQ(m.master_down_timer, std::nullopt);
}

TEST_F(StateMachine, ATimerThatFiresEarlyDoesNothing) {
  be_backup();
  now = now + 3'609'374us;
  EXPECT_EQ(happens(event::Timer{}), kNothing);
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(StateMachine, AHigherOrEqualAdvertisementRestartsTheWait) {
  be_backup();
  for (const uint8_t priority : {uint8_t{200}, uint8_t{100}, uint8_t{255}}) {
    now = now + 3s;
    EXPECT_EQ(hear(priority), kNothing);
    EXPECT_EQ(m.master_down_timer, now + 3'609'375us);
    EXPECT_EQ(m.master, ip("10.0.0.9"));
  }
}

TEST_F(StateMachine, ALowerAdvertisementDoesNotHoldBackAPreemptingBackup) {
  be_backup();
  const auto before = m.master_down_timer;
  now = now + 900ms;
  EXPECT_EQ(hear(50), kNothing);
  EXPECT_EQ(m.master_down_timer, before);
  deadline();
  EXPECT_EQ(m.state, VrrpState::master);
  EXPECT_EQ(m.reason, "10.0.0.9 has only priority 50");
}

TEST_F(StateMachine, ALowerAdvertisementCountsWithoutPreemption) {
  p.preempt = false;
  be_backup();
  now = now + 3s;
  hear(50);
  EXPECT_EQ(m.master_down_timer, now + 3'609'375us);
}

TEST_F(StateMachine, TheAddressOwnerPreemptsAlways) {
  be_backup();
  p.preempt = false;
  p.priority = 255;
  const auto before = m.master_down_timer;
  now = now + 1s;
  hear(254);
  EXPECT_EQ(m.master_down_timer, before);
}

TEST_F(StateMachine, AResignationShortensTheWaitToTheSkewTime) {
  be_backup();
  hear(200);
  now = now + 500ms;
  EXPECT_EQ(hear(0), kNothing);
  EXPECT_EQ(m.master_down_timer, now + 609'375us);
  now = now + 100ms;
  hear(0);
  EXPECT_EQ(m.master_down_timer, now + 609'375us) << "a repeated one re-arms";
  deadline();
  EXPECT_EQ(m.reason, "10.0.0.9 resigned");
}

TEST_F(StateMachine, AnotherMasterWithinTheSkewTimeKeepsUsBackup) {
  be_backup();
  hear(0);
  now = now + 100ms;
  hear(200, "10.0.0.8");
  EXPECT_EQ(m.master_down_timer, now + 3'609'375us);
  deadline();
  EXPECT_EQ(m.reason, "no advertisement for 3.6 s") << "the resignation is forgotten";
}

// --- MASTER

TEST_F(StateMachine, AMasterAdvertisesEveryIntervalAndEachTimeRenewsItsLease) {
  be_master();
  for (int i = 0; i < 3; ++i) {
    const Time before = now;
    EXPECT_EQ(deadline(), (Actions{"advertise 100", "lease 3 s"}));
    EXPECT_EQ(now, before + 1s);
  }
}

TEST_F(StateMachine, TheLeaseEndsBeforeAnyPeersDownTimer) {
  be_master();
  deadline();
  for (int priority = 1; priority < 255; ++priority) {
    const Parameters peer{.priority = static_cast<uint8_t>(priority), .advertisement_interval = 1s};
    EXPECT_LT(m.lease_until, now + master_down_interval(peer, 1s));
  }
}

TEST_F(StateMachine, ANewMasterAnnouncesASecondTimeAfterFiveSeconds) {
  be_backup();
  deadline();
  const Time taken = now;
  int announcements = 0;
  while (now < taken + 30s) announcements += static_cast<int>(std::ranges::count(deadline(), "announce"));
  EXPECT_EQ(announcements, 1);
  EXPECT_EQ(m.last_announced, taken + 5s);
}

TEST_F(StateMachine, AMasterAnswersAResignationAtOnce) {
  be_master();
  now = now + 400ms;
  EXPECT_EQ(hear(0), (Actions{"advertise 100", "lease 3 s"}));
  EXPECT_EQ(m.adver_timer, now + 1s);
  EXPECT_EQ(m.state, VrrpState::master);
}

TEST_F(StateMachine, AMasterYieldsToAHigherPriorityWithOneFarewell) {
  be_master();
  now = now + 400ms;
  EXPECT_EQ(hear(200), (Actions{"advertise 100", "end lease"}));  // and no RenewLease
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(m.reason, "priority 200 from 10.0.0.9");
  EXPECT_EQ(m.master, ip("10.0.0.9"));
  EXPECT_EQ(happens(event::Announced{}), Actions{"remove addresses"}) << "clients sent here until now";
  EXPECT_EQ(m.next_deadline(), now + 3'609'375us) << "only the Master_Down_Timer is left";
}

TEST_F(StateMachine, AnOutrankedMasterKeepsItsAddressesNoLongerThan300Milliseconds) {
  be_master();
  hear(200);
  const Time since = now;
  EXPECT_EQ(deadline(), Actions{"remove addresses"});
  EXPECT_EQ(now, since + 300ms);
  EXPECT_EQ(m.master_down_timer, since + 3'609'375us);
}

TEST_F(StateMachine, AnOutrankedMasterThatIsStoppedOrFaultyDropsItsAddressesAtOnce) {
  be_master();
  const Machine master = m;
  for (const Event& event : {Event(event::Shutdown{}), Event(event::HandOver{.stop = true})}) {
    m = master;
    hear(200);
    EXPECT_EQ(happens(event), Actions{"remove addresses"});
    EXPECT_EQ(m.next_deadline(), std::nullopt);
  }
  m = master;
  hear(200);
  EXPECT_EQ(happens(event::Fault{"eth0 is down"}), kRelease);
}

TEST_F(StateMachine, TheHigherAddressDecidesBetweenEquals) {
  be_master();
  hear(100, "9.255.255.255");
  EXPECT_EQ(m.state, VrrpState::master) << "compared as numbers, in network order";
  hear(100, "10.0.0.1");
  EXPECT_EQ(m.state, VrrpState::master) << "our own address beats nobody";
  hear(100, "10.0.0.2");
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(StateMachine, TheSameHoldsBetweenTwoAddressOwners) {
  p.priority = 255;
  happens(event::Startup{});
  hear(255, "10.0.0.0");
  EXPECT_EQ(m.state, VrrpState::master);
  hear(255, "10.0.0.2");
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(StateMachine, AMasterCorrectsALesserOneAtOnceAndKeepsItsOwnBeat) {
  be_master();
  now = now + 400ms;
  const auto beat = m.adver_timer;
  EXPECT_EQ(hear(50), (Actions{"advertise 100", "lease 3 s", "announce"}));
  EXPECT_EQ(m.adver_timer, beat);
}

TEST_F(StateMachine, AFloodOfLesserAdvertisementsGetsOneAnnouncementASecondAndFewAnswers) {
  be_master();
  int announcements = 0, answers = 0;
  for (int i = 0; i < 1000; ++i) {
    now = now + 1ms;
    const Actions done = hear(50);
    announcements += static_cast<int>(std::ranges::count(done, "announce"));
    answers += static_cast<int>(std::ranges::count(done, "advertise 100"));
  }
  EXPECT_EQ(announcements, 1);
  EXPECT_LE(answers, 20);
}

TEST_F(StateMachine, AFloodOfResignationsDoesNotDelayOurAdvertisements) {
  be_master();
  Time last = now;
  for (int i = 0; i < 5000; ++i) {
    now = now + 1ms;
    Actions done = hear(0);
    if (now >= *m.next_deadline()) done = happens(event::Timer{});
    if (std::ranges::count(done, "advertise 100") > 0) last = now;
    EXPECT_LE(now - last, 1s);
  }
}

TEST_F(StateMachine, AStoppedMasterResignsAddressBeforeLease) {
  be_master();
  EXPECT_EQ(happens(event::Shutdown{}), (Actions{"advertise 0", "remove addresses", "end lease"}));
  EXPECT_EQ(m.state, VrrpState::init);
  EXPECT_EQ(m.next_deadline(), std::nullopt);
}

TEST_F(StateMachine, AStoppedBackupJustEnds) {
  be_backup();
  EXPECT_EQ(happens(event::Shutdown{}), kNothing);
  EXPECT_EQ(m.next_deadline(), std::nullopt);
}

// --- the planned handover

class PlannedHandover : public StateMachine {
 protected:
  // A MASTER that has just told that it leaves.
  void offer(bool stop = false) {
    be_master();
    now = now + 400ms;
    offered = now;
    first = happens(event::HandOver{.stop = stop});
  }
  Time offered;
  Actions first;
};

TEST_F(PlannedHandover, TellsOnceAndKeepsAddressesAndLeaseForTheLongestSkew) {
  offer();
  EXPECT_EQ(first, Actions{"advertise 0"}) << "the lease of 2.6 s outlives the wait";
  EXPECT_EQ(m.state, VrrpState::master);
  EXPECT_EQ(m.next_deadline(), now + kLongestSkew + 300ms) << "and no advertisement in between";
}

TEST_F(PlannedHandover, AShortLeaseIsMadeToOutliveTheWait) {
  p.version = 3;
  p.advertisement_interval = 10ms;
  be_master();
  EXPECT_EQ(happens(event::HandOver{}), (Actions{"advertise 0", "lease 0.309960937 s"}));
}

TEST_F(PlannedHandover, AtAnothersAdvertisementTheLeaseEndsButTheAddressesStayUntilItsAnnouncement) {
  offer();
  now = now + 805ms;
  EXPECT_EQ(hear(50), Actions{"end lease"}) << "whatever its priority";
  EXPECT_EQ(m.state, VrrpState::master);
  now = now + 3ms;
  EXPECT_EQ(happens(event::Announced{}), kRelease);
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(m.reason, "handed over to 10.0.0.9");
  EXPECT_EQ(m.master, ip("10.0.0.9"));
  EXPECT_TRUE(m.released);
}

TEST_F(PlannedHandover, WithoutAnAnnouncementTheAddressesGoAfter300Milliseconds) {
  offer();
  hear(50);
  EXPECT_EQ(m.next_deadline(), now + 300ms);
  hear(50);
  EXPECT_EQ(deadline(), kRelease);
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(PlannedHandover, AnAnnouncementThatWasReadFirstCounts) {
  offer();
  EXPECT_EQ(happens(event::Announced{}), kNothing);
  EXPECT_EQ(hear(50), (Actions{"end lease", "remove addresses", "end lease"}));
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(PlannedHandover, AnotherRouterThatLeavesAsWellIsNoSuccessor) {
  offer();
  EXPECT_EQ(hear(0), kNothing);
  EXPECT_EQ(m.next_deadline(), offered + kLongestSkew + 300ms);
}

TEST_F(PlannedHandover, WhenNobodyTakesOverItGivesUp) {
  offer(/*stop=*/true);
  EXPECT_EQ(deadline(), kRelease);
  EXPECT_EQ(m.state, VrrpState::init);
  EXPECT_EQ(m.next_deadline(), std::nullopt);
}

TEST_F(PlannedHandover, AStopEndsInInit) {
  offer(/*stop=*/true);
  hear(50);
  happens(event::Announced{});
  EXPECT_EQ(m.state, VrrpState::init);
}

TEST_F(PlannedHandover, AFaultInBetweenEndsIt) {
  offer();
  EXPECT_EQ(happens(event::Fault{"eth0 has no carrier"}), kRelease);
  EXPECT_EQ(m.state, VrrpState::fault);
}

TEST_F(PlannedHandover, OneThatWasReleasedTakesNothingFromALesserRouterButReplacesADeadOne) {
  offer();
  hear(50);
  deadline();
  for (int i = 0; i < 10; ++i) {
    now = now + 1s;
    EXPECT_EQ(hear(50), kNothing);
    EXPECT_EQ(m.next_deadline(), now + 3'609'375us);
  }
  deadline();
  EXPECT_EQ(m.state, VrrpState::master);
}

TEST_F(PlannedHandover, AfterResumeItPreemptsAgain) {
  offer();
  hear(50);
  deadline();
  now = now + 1s;
  hear(50);
  const auto before = m.next_deadline();
  happens(event::Resume{});
  now = now + 1s;
  hear(50);
  EXPECT_EQ(m.next_deadline(), before);
}

TEST_F(PlannedHandover, ABackupThatIsStoppedJustEndsAndOneThatIsReleasedStays) {
  be_backup();
  EXPECT_EQ(happens(event::HandOver{}), kNothing);
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(happens(event::HandOver{.stop = true}), kNothing);
  EXPECT_EQ(m.state, VrrpState::init);
}

// --- version 3

class Version3 : public StateMachine {
 protected:
  Version3() {
    p.version = 3;
    p.advertisement_interval = 100ms;
  }
  Actions hear_every(base::Duration interval) { return happens(event::Received{200, ip("10.0.0.9"), interval}); }
};

TEST_F(Version3, ABackupWaitsAsLongAsTheMastersOwnIntervalSays) {
  be_backup();
  EXPECT_EQ(m.next_deadline(), now + 3 * 100ms + skew_of(100ms));
  hear_every(400ms);
  EXPECT_EQ(m.next_deadline(), now + 3 * 400ms + skew_of(400ms));
}

TEST_F(Version3, WhatIsLearnedIsCapped) {
  be_backup();
  hear_every(40'950ms);
  EXPECT_EQ(m.next_deadline(), now + 3 * 10s + skew_of(10s)) << "one forged advertisement blinds no longer";
}

TEST_F(Version3, AMasterThatIsOutrankedLearnsToo) {
  be_master();
  hear_every(400ms);
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(m.master_down_timer, now + 3 * 400ms + skew_of(400ms));
}

TEST_F(Version3, AResignationIsFollowedAfterTheSkewOfTheLearnedInterval) {
  be_backup();
  hear_every(400ms);
  hear(0);
  EXPECT_EQ(m.next_deadline(), now + skew_of(400ms));
}

TEST_F(StateMachine, Version2DoesNotLearn) {
  be_backup();
  happens(event::Received{200, ip("10.0.0.9"), 40s});
  EXPECT_EQ(m.next_deadline(), now + 3'609'375us);
}

// --- keepalived's delays

TEST_F(StateMachine, ALesserMasterIsLetBeForThePreemptDelay) {
  p.preempt_delay = 20s;
  be_backup();
  const Time since = now + 1s;
  while (now < since + 20s) {
    now = now + 1s;
    hear(50);
    ASSERT_EQ(m.state, VrrpState::backup);
  }
  const auto wait = m.next_deadline();
  now = now + 1s;
  hear(50);
  EXPECT_EQ(m.next_deadline(), wait) << "the delay is over";
}

TEST_F(StateMachine, ADelayedPreemptionDoesNotDelayTheReplacementOfADeadMaster) {
  p.preempt_delay = 1000s;
  be_backup();
  hear(50);
  deadline();
  EXPECT_EQ(m.state, VrrpState::master);
  EXPECT_EQ(now, kStart + 3'609'375us);
}

TEST_F(StateMachine, NothingBeginsBeforeTheStartupDelayIsOver) {
  p.start_at = now + 30s;
  EXPECT_EQ(happens(event::Startup{}), kRelease) << "leftovers go at once";
  EXPECT_EQ(m.state, VrrpState::init);
  now = now + 10s;
  EXPECT_EQ(hear(0), kNothing);
  EXPECT_EQ(m.next_deadline(), p.start_at);
  deadline();
  EXPECT_EQ(m.state, VrrpState::backup);
}

TEST_F(StateMachine, FewerAdvertisementsMakeAnEarlierTakeoverAndAShorterLease) {
  p.down_timer_adverts = 2;
  be_backup();
  EXPECT_EQ(m.next_deadline(), now + 2'609'375us);
  EXPECT_EQ(deadline()[1], "lease 2 s");
}

TEST_F(StateMachine, AnnouncementsAreRefreshed) {
  p.announcements.refresh = 60s;
  p.announcements.refresh_repeat = 2;
  be_master();
  const Time last = *m.last_announced;
  Actions done;
  while (now < last + 60s) done = deadline();
  EXPECT_EQ(std::ranges::count(done, "announce 2"), 1);
  EXPECT_EQ(m.announce_timer, now + 60s);
}

TEST_F(StateMachine, WithoutARefreshAndADelayThereIsOneBurst) {
  p.announcements.refresh = 0s;
  p.announcements.delay = 0s;
  be_backup();
  deadline();
  EXPECT_EQ(m.announce_timer, std::nullopt);
}

TEST_F(StateMachine, WithoutAFarewellAMasterYieldsInSilence) {
  p.farewell = false;
  be_master();
  EXPECT_EQ(hear(200), Actions{"end lease"});
}

// --- a freeze

TEST_F(StateMachine, AMasterThatWasFrozenAdvertisesAndAnnouncesOnce) {
  be_master();
  now = now + 10s;
  EXPECT_EQ(hear(50), (Actions{"advertise 100", "lease 3 s", "announce"})) << "what came in meanwhile is read first";
  EXPECT_EQ(happens(event::Thawed{}), (Actions{"advertise 100", "lease 3 s"}));
}

TEST_F(StateMachine, AFrozenMasterThatNobodyReplacedAnnouncesAllTheSame) {
  be_master();
  now = now + 10s;
  EXPECT_EQ(happens(event::Thawed{}), (Actions{"advertise 100", "lease 3 s", "announce"}));
}

TEST_F(StateMachine, AFrozenBackupDoesNothing) {
  be_backup();
  EXPECT_EQ(happens(event::Thawed{}), kNothing);
}

// --- the sync group

TEST_F(StateMachine, FollowsItsGroupToMasterAtOnce) {
  be_backup();
  EXPECT_EQ(happens(event::GroupMaster{"sync group G: VI_2 is MASTER"}),
            (Actions{"advertise 100", "lease 3 s", "add addresses", "announce"}));
  EXPECT_EQ(m.reason, "sync group G: VI_2 is MASTER");
}

TEST_F(StateMachine, FollowsItsGroupToBackupAndSaysSo) {
  be_master();
  EXPECT_EQ(happens(event::GroupBackup{"sync group G: VI_2 is BACKUP"}),
            (Actions{"advertise 0", "remove addresses", "end lease"}));
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(happens(event::GroupBackup{"again"}), kNothing);
}

TEST_F(StateMachine, AFaultThatIsNotTheInterfacesIsTold) {
  be_master();
  EXPECT_EQ(happens(event::Fault{.why = "track_script chk is down", .can_send = true}),
            (Actions{"advertise 0", "remove addresses", "end lease"}));
  EXPECT_EQ(m.state, VrrpState::fault);
}

// --- sending fails

TEST_F(StateMachine, AnAdvertisementThatWasNotSentRenewsNoLeaseAndIsTriedAgain) {
  be_master();
  const Time lease = m.lease_until;
  sending_works = false;
  EXPECT_EQ(deadline(), Actions{"advertise 100"});
  EXPECT_EQ(m.next_deadline(), now + 100ms);
  EXPECT_EQ(m.lease_until, lease);
  sending_works = true;
  EXPECT_EQ(deadline(), (Actions{"advertise 100", "lease 3 s"}));
  EXPECT_EQ(m.next_deadline(), now + 1s);
}

TEST_F(StateMachine, AMasterThatCannotSendUntilItsLeaseIsOverReleases) {
  be_master();
  sending_works = false;
  const Time sent_last = now;
  Actions last;
  while (m.state == VrrpState::master) last = deadline();
  EXPECT_EQ(last, (Actions{"advertise 100", "remove addresses", "end lease"}));
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_GE(now, sent_last + 3s);
  EXPECT_LE(now, sent_last + 3s + 100ms);
  EXPECT_EQ(m.reason, "no advertisement could be sent for 3.0 s");
}

TEST_F(StateMachine, WhoCannotSendTakesNoAddress) {
  be_backup();
  sending_works = false;
  EXPECT_EQ(deadline(), Actions{"advertise 100"});
  EXPECT_FALSE(m.in_possession);
  EXPECT_EQ(hear(50), Actions{"advertise 100"}) << "and announces none";
  sending_works = true;
  EXPECT_EQ(deadline(), (Actions{"advertise 100", "lease 3 s", "add addresses", "announce"}));
}

// --- FAULT

TEST_F(StateMachine, AnInterfaceThatGoesDownEndsEverything) {
  be_master();
  EXPECT_EQ(happens(event::Fault{"eth0 has no carrier"}), kRelease);
  EXPECT_EQ(m.state, VrrpState::fault);
  EXPECT_EQ(m.reason, "eth0 has no carrier");
  EXPECT_EQ(m.next_deadline(), std::nullopt);
  EXPECT_EQ(hear(50), kNothing);
  EXPECT_EQ(hear(0), kNothing);
  EXPECT_EQ(m.state, VrrpState::fault);
}

TEST_F(StateMachine, AnInterfaceThatComesBackMakesABackupWithAFullWait) {
  be_master();
  happens(event::Fault{"eth0 has no carrier"});
  now = now + 1h;
  EXPECT_EQ(happens(event::FaultOver{}), kNothing);
  EXPECT_EQ(m.state, VrrpState::backup);
  EXPECT_EQ(m.next_deadline(), now + 3'609'375us);
}

TEST_F(StateMachine, AnInterfaceThatIsDownFromTheStartIsAFaultWithoutLeftovers) {
  EXPECT_EQ(happens(event::Fault{"eth0 does not exist"}), kRelease);
  EXPECT_EQ(m.state, VrrpState::fault);
  EXPECT_EQ(happens(event::Fault{"eth0 is down"}), kNothing);
  EXPECT_EQ(m.reason, "eth0 is down");
}

TEST_F(StateMachine, AnAddressOwnerIsMasterAgainWhenItsInterfaceIs) {
  p.priority = 255;
  happens(event::Startup{});
  happens(event::Fault{"eth0 is down"});
  happens(event::FaultOver{});
  EXPECT_EQ(m.state, VrrpState::master);
}

// --- reload

TEST_F(StateMachine, AnotherIntervalIsUsedAtOnceByAMaster) {
  be_master();
  p.advertisement_interval = 4s;
  EXPECT_EQ(happens(event::IntervalChanged{}), (Actions{"advertise 100", "lease 12 s"}));
  EXPECT_EQ(m.next_deadline(), now + 4s);
}

TEST_F(StateMachine, AnotherIntervalGivesABackupAFullWait) {
  be_backup();
  p.advertisement_interval = 4s;
  now = now + 3s;
  happens(event::IntervalChanged{});
  EXPECT_EQ(m.next_deadline(), now + 12s + 609'375us);
}

TEST_F(StateMachine, AnotherPriorityIsInTheNextAdvertisement) {
  be_master();
  p.priority = 20;
  EXPECT_EQ(deadline().front(), "advertise 20");
  EXPECT_EQ(m.state, VrrpState::master);
}

}  // namespace
}  // namespace vrrp
