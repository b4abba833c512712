// SPDX-License-Identifier: Apache-2.0
// Trackers: how results in a row count, how a number is read, who is a process of that name; and all of it against real
// programs, files and processes.
#include "control/trackers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "control/file_number.hpp"
#include "control/rise_fall.hpp"
#include "folder_support.hpp"
#include "own_network.hpp"

namespace control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// --- pure ---

std::string run(RiseFall& counts, const std::string& results) {
  std::string states;
  for (const char result : results) {
    counts.result(result == '+');
    states += counts.up() ? 'U' : 'D';
  }
  return states;
}

TEST(RiseFall, TheFirstResultDecidesAlone) {
  RiseFall counts({.rise = 3, .fall = 3});
  EXPECT_FALSE(counts.known());
  EXPECT_EQ(run(counts, "-"), "D");
  EXPECT_TRUE(counts.known());
  RiseFall other({.rise = 3, .fall = 3});
  EXPECT_EQ(run(other, "+"), "U");
}

TEST(RiseFall, SoManyInARowChangeIt) {
  RiseFall counts({.rise = 2, .fall = 3});
  EXPECT_EQ(run(counts, "+--+---+-++-"), "UUUUUUDDDDUU");
}

TEST(RiseFall, InitFailIsDownUntilItHasRisen) {
  RiseFall counts({.rise = 2, .fall = 1, .init_fail = true});
  EXPECT_TRUE(counts.known());
  EXPECT_FALSE(counts.up());
  EXPECT_EQ(run(counts, "+-++"), "DDDU");
}

TEST(RiseFall, AReloadKeepsWhatIsKnown) {
  RiseFall counts({.rise = 2, .fall = 2});
  run(counts, "+-");
  counts.change({.rise = 2, .fall = 3}, false);
  EXPECT_EQ(run(counts, "---"), "UUD");
  counts.change({.rise = 5, .fall = 5}, true);
  EXPECT_FALSE(counts.up());
  EXPECT_EQ(run(counts, "+"), "U") << "the first result of another script";
}

TEST(FileNumber, IsReadAsKeepalivedReadsIt) {
  EXPECT_EQ(file_number("5\n"), 5);
  EXPECT_EQ(file_number(" -12 # why"), -12);
  EXPECT_EQ(file_number("0x10"), 16);
  EXPECT_EQ(file_number(""), 0);
  EXPECT_EQ(file_number("up"), 0);
  EXPECT_EQ(file_number("99999999999999999999999"), kLargestFileNumber);
  EXPECT_EQ(file_number("-3000000000"), -kLargestFileNumber);
}

TEST(Settled, ABriefChangeIsNotBelieved) {
  Settled settled;
  const auto see = [&](bool value, base::Duration at) {
    settled.see(value, base::Time{} + at, 2s);
    return settled.value();
  };
  EXPECT_TRUE(see(true, 0s)) << "the first is believed at once";
  EXPECT_TRUE(see(false, 10s));
  EXPECT_TRUE(settled.waiting());
  EXPECT_TRUE(see(true, 11s));
  EXPECT_TRUE(see(false, 12s));
  EXPECT_TRUE(see(false, 13999ms));
  EXPECT_FALSE(see(false, 14s));
  EXPECT_FALSE(settled.waiting());
}

TEST(Processes, ANameMayHaveBracketsAndADeadOneHasNone) {
  EXPECT_EQ(running_name("12 (nginx) S 1 12"), "nginx");
  EXPECT_EQ(running_name("12 (a) b (c)) R 1"), "a) b (c)");
  EXPECT_EQ(running_name("12 (nginx) Z 1 12"), std::nullopt);
  for (const char* damaged : {"", "12", "12 (", "12 )(", "12 (x)", "12 (x) "}) EXPECT_FALSE(running_name(damaged));
}

TEST(Processes, ALongNameIsKnownByItsBeginning) {
  const Process process{1, "a-very-long-nam", "/usr/bin/x"};
  EXPECT_TRUE(is_called(process, "a-very-long-name-indeed"));
  EXPECT_FALSE(is_called(process, "a-very"));
  EXPECT_TRUE(is_called(process, "/usr/bin/x"));
  EXPECT_FALSE(is_called(process, "x"));
}

// --- against the system ---

class TrackersTest : public testing::Test {
 protected:
  // An instance that tracks whatever is defined.
  void configure() {
    model::VrrpInstance instance{.name = "VI_1"};
    const auto use = [&](model::TrackerKind kind, const auto& definitions) {
      for (const auto& one : definitions) instance.tracked.push_back({.kind = kind, .name = one.name});
    };
    use(model::TrackerKind::script, config_.track_scripts);
    use(model::TrackerKind::file, config_.track_files);
    use(model::TrackerKind::process, config_.track_processes);
    config_.vrrp_instances = {instance};
    trackers_.configure(config_);
  }
  void script(const std::string& text, int fall = 1) {
    config_.track_scripts = {{.name = "check",
                              .command = {.arguments = {folder_.script("check", text)}},
                              .interval = 20ms,
                              .timeout = 5s,
                              .fall = fall}};
  }
  ipc::TrackerState state() const { return trackers_.states().trackers.at(0); }
  std::string result() const { return trackers_.status().at(0).result; }
  bool becomes(bool up) {
    return test::run_until(loop_, [&] { return state().known && state().up == up; });
  }
  bool value_becomes(int value) {
    return test::run_until(loop_, [&] { return state().known && state().value == value; });
  }

  loop::Loop loop_;
  test::Folder folder_;
  model::Config config_;
  int changes_ = 0;
  Trackers trackers_{loop_, [this] { ++changes_; }};
};

TEST_F(TrackersTest, AScriptGoesDownAndComesBack) {
  script("test -e " + folder_.file("good") + " || { echo it is missing; exit 4; }", 2);
  folder_.write("good", "");
  configure();
  EXPECT_FALSE(state().known);
  ASSERT_TRUE(becomes(true));
  std::filesystem::remove(folder_.file("good"));
  ASSERT_TRUE(becomes(false));
  EXPECT_EQ(result(), "exit code 4: it is missing");
  folder_.write("good", "");
  EXPECT_TRUE(becomes(true));
  EXPECT_TRUE(test::run_until(loop_, [&] { return changes_ >= 2; }));
}

TEST_F(TrackersTest, AScriptNeverRunsTwiceAtOnce) {
  script("mkdir " + folder_.file("running") + " || touch " + folder_.file("twice") + "; sleep 0.1; rmdir " +
         folder_.file("running") + "; echo >>" + folder_.file("runs"));
  configure();
  ASSERT_TRUE(test::run_until(loop_, [&] { return test::content(folder_.file("runs")).size() >= 3; }));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("twice")));
}

TEST_F(TrackersTest, AScriptThatTakesTooLongHasFailed) {
  script("sleep 60");
  config_.track_scripts[0].timeout = 100ms;
  configure();
  ASSERT_TRUE(becomes(false));
  EXPECT_EQ(result(), "took longer than 0.1 s");
}

TEST_F(TrackersTest, AScriptWithoutItsUserFails) {
  script("exit 0");
  config_.track_scripts[0].command.user = "no-such-user";
  configure();
  EXPECT_TRUE(becomes(false));
  EXPECT_EQ(result(), "cannot run: there is no user no-such-user");
}

TEST_F(TrackersTest, AReloadKeepsTheStateOfAScript) {
  script("exit 1");
  configure();
  ASSERT_TRUE(becomes(false));
  config_.track_scripts[0].interval = 1h;
  configure();
  EXPECT_TRUE(state().known);
  EXPECT_FALSE(state().up);
}

TEST_F(TrackersTest, WhatNoInstanceTracksIsNotRun) {
  script("touch " + folder_.file("ran"));
  trackers_.configure(config_);
  EXPECT_TRUE(trackers_.states().trackers.empty());
  configure();
  EXPECT_EQ(trackers_.states().trackers.size(), 1U);
  config_.vrrp_instances.clear();
  trackers_.configure(config_);
  EXPECT_TRUE(trackers_.states().trackers.empty());
}

TEST_F(TrackersTest, AFileIsSeenHoweverItChanges) {
  const std::string file = folder_.write("number", "7\n");
  config_.track_files = {{.name = "load", .path = file}};
  configure();
  EXPECT_TRUE(state().known) << "at once";
  EXPECT_EQ(state().value, 7);
  EXPECT_FALSE(state().up);
  folder_.write("number", "-3");  // another file takes its place
  EXPECT_TRUE(value_becomes(-3));
  std::ofstream(file) << "0\n";  // written over
  EXPECT_TRUE(value_becomes(0));
  EXPECT_TRUE(state().up);
  std::ofstream(file) << "5\n";
  ASSERT_TRUE(value_becomes(5));
  std::filesystem::remove(file);
  EXPECT_TRUE(value_becomes(0));
  EXPECT_THAT(result(), HasSubstr("No such file"));
}

TEST_F(TrackersTest, AFileInADirectoryThatComesLater) {
  config_.track_files = {{.name = "load", .path = folder_.file("later/number")}};
  configure();
  EXPECT_EQ(state().value, 0);
  std::filesystem::create_directory(folder_.file("later"));
  folder_.write("later/number", "9");
  EXPECT_TRUE(value_becomes(9));
  std::filesystem::remove_all(folder_.file("later"));
  EXPECT_TRUE(value_becomes(0));
}

// A copy of sleep(1) under a name of its own.
class Sleeper {
 public:
  explicit Sleeper(const std::string& program) {
    std::string name = program, time = "60";
    const std::array<char*, 3> argv{name.data(), time.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv.data(), environ), 0);
  }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  void kill() const { ::kill(pid_, SIGKILL); }
  void end() {
    if (pid_ == 0) return;
    kill();
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

class ProcessTrackerTest : public TrackersTest {
 protected:
  std::string sleeper(const std::string& name) {
    std::filesystem::copy_file("/bin/sleep", folder_.file(name));
    return folder_.file(name);
  }
};

TEST_F(ProcessTrackerTest, EnoughOfThemMakeItUp) {
  const std::string program = sleeper("xd-sleeper");
  config_.track_processes = {{.name = "sleepers", .process = "xd-sleeper", .quorum = 2}};
  Sleeper one(program);
  configure();
  EXPECT_TRUE(becomes(false));
  EXPECT_EQ(result(), "1 of 2 xd-sleeper");
  Sleeper two(program);
  EXPECT_TRUE(becomes(true));
}

TEST_F(ProcessTrackerTest, AnEndIsSeenAtOnceThoughNobodyHasWaitedForIt) {
  const std::string program = sleeper("xd-sleeper");
  config_.track_processes = {{.name = "sleeper", .process = program}};
  Sleeper one(program);
  configure();
  ASSERT_TRUE(becomes(true));
  const auto begin = std::chrono::steady_clock::now();
  one.kill();
  ASSERT_TRUE(becomes(false));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200ms) << "not only at the next look";
}

TEST_F(ProcessTrackerTest, ARestartWithinTheDelayIsNoChange) {
  const std::string program = sleeper("xd-sleeper");
  config_.track_processes = {{.name = "sleeper", .process = "xd-sleeper", .quorum = 1, .delay = 3s}};
  Sleeper one(program);
  configure();
  ASSERT_TRUE(becomes(true));
  changes_ = 0;
  one.end();
  ASSERT_TRUE(test::run_until(loop_, [&] { return result() == "0 of 1 xd-sleeper, waiting for 3 s"; }));
  Sleeper two(program);
  ASSERT_TRUE(test::run_until(loop_, [&] { return result() == "1 of 1 xd-sleeper"; }));
  EXPECT_EQ(changes_, 0);
}

}  // namespace
}  // namespace control
