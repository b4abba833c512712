// SPDX-License-Identifier: Apache-2.0
// What is told of a change of state, how often, in which words and in which order.
#include "control/notifications.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "control/command_check.hpp"
#include "folder_support.hpp"
#include "own_network.hpp"

namespace control {
namespace {

using namespace std::chrono_literals;
using ipc::VrrpState;
using testing::ElementsAre;
using testing::IsEmpty;

const Transition kMaster{Subject::instance, "VI_1", ToldState::master, 100};

ipc::VrrpReport is(const std::string& instance, VrrpState state, uint8_t priority = 100) {
  return {.instance = instance, .state = state, .priority = priority};
}

model::Config config_of(const std::vector<std::string>& instances, const std::vector<model::SyncGroup>& groups = {}) {
  model::Config config;
  for (const std::string& name : instances) config.vrrp_instances.push_back({.name = name});
  config.sync_groups = groups;
  return config;
}

// --- words ---

TEST(Transition, IsToldInKeepalivedsWords) {
  EXPECT_THAT(words(kMaster), ElementsAre("INSTANCE", "VI_1", "MASTER", "100"));
  EXPECT_EQ(line(kMaster), "INSTANCE \"VI_1\" MASTER 100\n");
  EXPECT_EQ(line({Subject::group, "VG_1", ToldState::fault, 0}), "GROUP \"VG_1\" FAULT 0\n");
  EXPECT_THAT(words({Subject::instance, "VI_1", ToldState::stop, 50}), ElementsAre("INSTANCE", "VI_1", "STOP", "50"));
}

TEST(Transition, RunsTheStatesOwnCommandAsItIsAndThenTheGeneralOne) {
  const model::Notify notify{.any = {.arguments = {"/any", "own argument"}, .user = "u"},
                             .master = {.arguments = {"/master"}},
                             .backup = {.arguments = {"/backup"}}};
  const std::vector<model::Command> all = commands(notify, kMaster);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], notify.master);
  EXPECT_THAT(all[1].arguments, ElementsAre("/any", "own argument", "INSTANCE", "VI_1", "MASTER", "100"));
  EXPECT_EQ(all[1].user, "u");
  EXPECT_THAT(commands({}, kMaster), IsEmpty());
}

// --- once each ---

TEST(Transitions, EachStateIsToldOnce) {
  Transitions transitions;
  transitions.configure(config_of({"VI_1"}));
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::init)), IsEmpty());
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::master)), ElementsAre(kMaster));
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::master, 90)), IsEmpty()) << "another priority";
}

TEST(Transitions, AWorkerThatGoesOnAsMasterIsNoNews) {
  Transitions transitions;
  transitions.configure(config_of({"VI_1"}));
  transitions.report(is("VI_1", VrrpState::master));
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::init)), IsEmpty());
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::master)), IsEmpty());
  EXPECT_THAT(transitions.configure(config_of({"VI_1", "VI_2"})), IsEmpty()) << "nor is a reload";
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::master)), IsEmpty());
}

TEST(Transitions, AnInstanceThatIsNoLongerConfiguredIsAFault) {
  Transitions transitions;
  transitions.configure(config_of({"VI_1", "VI_2"}));
  transitions.report(is("VI_1", VrrpState::master));
  EXPECT_THAT(transitions.configure(config_of({})),
              ElementsAre(Transition{Subject::instance, "VI_1", ToldState::fault, 100}));
  EXPECT_THAT(transitions.report(is("VI_1", VrrpState::backup)), IsEmpty()) << "its last report";
}

TEST(Transitions, AGroupIsToldWhenAllOfItAreSo) {
  Transitions transitions;
  transitions.configure(config_of({"VI_1", "VI_2"}, {{.name = "VG_1", .instances = {"VI_1", "VI_2"}}}));
  EXPECT_EQ(transitions.report(is("VI_1", VrrpState::backup)).size(), 1U);
  const auto news = transitions.report(is("VI_2", VrrpState::backup, 50));
  ASSERT_EQ(news.size(), 2U);
  EXPECT_EQ(news[1], (Transition{Subject::group, "VG_1", ToldState::backup, 0}));
  EXPECT_EQ(transitions.report(is("VI_1", VrrpState::master)).size(), 1U);
  EXPECT_EQ(transitions.report(is("VI_1", VrrpState::backup)).size(), 1U) << "the group has been BACKUP all the time";
}

TEST(Transitions, TheEndIsToldOfWhateverWasTold) {
  Transitions transitions;
  transitions.configure(config_of({"VI_1", "VI_2"}));
  transitions.report(is("VI_1", VrrpState::backup));
  EXPECT_THAT(transitions.stop(), ElementsAre(Transition{Subject::instance, "VI_1", ToldState::stop, 100}));
}

// --- with real programs ---

class NotificationsTest : public testing::Test {
 protected:
  NotificationsTest() {
    config_ = config_of({"VI_1"});
    any().arguments = {folder_.script("any", "echo \"any $*\" >>" + told())};
  }
  model::Command& any() { return config_.vrrp_instances[0].notify.any; }
  model::Notify& notify() { return config_.vrrp_instances[0].notify; }
  std::string told() const { return folder_.file("told"); }
  bool told_becomes(const std::string& wanted) {
    return test::run_until(loop_, [&] { return test::content(told()) == wanted; });
  }

  loop::Loop loop_;
  test::Folder folder_;
  model::Config config_;
  Notifications notifications_{loop_};
};

TEST_F(NotificationsTest, OneAfterTheOtherInOrder) {
  notify().master.arguments = {folder_.script("slow", "sleep 0.2; echo slow $# >>" + told())};
  notifications_.configure(config_);
  notifications_.report(is("VI_1", VrrpState::master));
  notifications_.report(is("VI_1", VrrpState::backup));
  EXPECT_TRUE(told_becomes("slow 0\nany INSTANCE VI_1 MASTER 100\nany INSTANCE VI_1 BACKUP 100\n"))
      << test::content(told());
}

TEST_F(NotificationsTest, WhatCannotBeRunDoesNotHoldUpTheRest) {
  notify().master = {.arguments = {"/nonexistent"}};
  notify().backup = {.arguments = {"/bin/true"}, .user = "no-such-user"};
  notifications_.configure(config_);
  notifications_.report(is("VI_1", VrrpState::master));
  notifications_.report(is("VI_1", VrrpState::backup));
  EXPECT_TRUE(told_becomes("any INSTANCE VI_1 MASTER 100\nany INSTANCE VI_1 BACKUP 100\n")) << test::content(told());
}

TEST_F(NotificationsTest, AQueueHasAnEnd) {
  notify().master.arguments = {folder_.script("slow", "until test -e " + folder_.file("go") + "; do sleep 0.01; done")};
  notifications_.configure(config_);
  notifications_.report(is("VI_1", VrrpState::master));
  for (int i = 0; i < 20; ++i) notifications_.report(is("VI_1", i % 2 == 0 ? VrrpState::fault : VrrpState::backup));
  folder_.write("go", "");
  ASSERT_TRUE(test::run_until(loop_, [&] { return test::content(told()).ends_with("BACKUP 100\n"); }));
  bool ended = false;
  notifications_.stop([&] { ended = true; });
  ASSERT_TRUE(test::run_until(loop_, [&] { return ended; }));
  const std::string lines = test::content(told());
  EXPECT_EQ(std::ranges::count(lines, '\n'), 16) << "the last 15, and STOP\n" << lines;
}

TEST_F(NotificationsTest, AStopIsToldAndWaitedFor) {
  notify().stop.arguments = {folder_.script("stop", "sleep 0.1; echo stopped >>" + told())};
  notifications_.configure(config_);
  notifications_.report(is("VI_1", VrrpState::backup));
  bool ended = false;
  notifications_.stop([&] { ended = true; });
  EXPECT_FALSE(ended);
  ASSERT_TRUE(test::run_until(loop_, [&] { return ended; }));
  EXPECT_EQ(test::content(told()), "any INSTANCE VI_1 BACKUP 100\nstopped\nany INSTANCE VI_1 STOP 100\n");
}

TEST_F(NotificationsTest, AStopWithNothingToTellEndsAtOnce) {
  bool ended = false;
  notifications_.stop([&] { ended = true; });
  EXPECT_TRUE(ended);
}

TEST_F(NotificationsTest, WhatWouldNotBeRunIsKnownBefore) {
  notify().master.arguments = {"/nonexistent/script"};
  notify().backup = {.arguments = {"/bin/true"}, .user = "no-such-user"};
  EXPECT_THAT(command_problems(config_),
              ElementsAre("/nonexistent/script (VI_1 notify_master): /nonexistent: No such file or directory",
                          "/bin/true (VI_1 notify_backup): there is no user no-such-user"));
}

// --- the fifo ---

class FifoTest : public NotificationsTest {
 protected:
  FifoTest() {
    config_.notify_fifo = folder_.file("fifo");
    any() = {};
  }
  std::string read_all() {
    const base::Fd fd(open(config_.notify_fifo.c_str(), O_RDONLY | O_NONBLOCK));
    std::array<char, 65536> text{};
    const ssize_t size = read(fd.get(), text.data(), text.size());
    return {text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))};
  }
};

TEST_F(FifoTest, LinesWaitForAReader) {
  notifications_.configure(config_);
  struct stat found{};
  ASSERT_EQ(stat(config_.notify_fifo.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode, S_IFIFO | 0600U);
  notifications_.report(is("VI_1", VrrpState::backup));
  notifications_.report(is("VI_1", VrrpState::master));
  EXPECT_EQ(read_all(), "INSTANCE \"VI_1\" BACKUP 100\nINSTANCE \"VI_1\" MASTER 100\n");
}

TEST_F(FifoTest, AFullOneDropsWholeLines) {
  notifications_.configure(config_);
  for (int i = 0; i < 5000; ++i) notifications_.report(is("VI_1", i % 2 == 0 ? VrrpState::fault : VrrpState::backup));
  EXPECT_TRUE(read_all().ends_with("100\n"));
  notifications_.report(is("VI_1", VrrpState::master));
  EXPECT_EQ(read_all(), "INSTANCE \"VI_1\" MASTER 100\n");
}

TEST_F(FifoTest, AnOrdinaryFileIsNotWrittenTo) {
  folder_.write("fifo", "precious");
  notifications_.configure(config_);
  notifications_.report(is("VI_1", VrrpState::master));
  EXPECT_EQ(test::content(config_.notify_fifo), "precious");
}

}  // namespace
}  // namespace control
