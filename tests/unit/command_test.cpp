// SPDX-License-Identifier: Apache-2.0
// Commands against the real system: small programs that end well, badly, late, or not at all.
#include "loop/command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "folder_support.hpp"
#include "loop/program_path.hpp"
#include "own_network.hpp"

namespace loop {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

using test::content;
using test::Folder;

Identity ourselves() {
  return *identity_of(getpwuid(geteuid())->pw_name, "");
}

class CommandTest : public testing::Test {
 protected:
  // Runs it to its outcome, and until it is gone.
  Command::Outcome run(std::vector<std::string> arguments, base::Duration limit = 5s, Identity who = ourselves()) {
    std::optional<Command::Outcome> got;
    Command command(loop_, [&](const Command::Outcome& outcome) { got = outcome; });
    EXPECT_TRUE(command.start({.arguments = std::move(arguments), .identity = std::move(who), .limit = limit}));
    EXPECT_TRUE(test::run_until(loop_, [&] { return got && !command.running(); }));
    return got.value_or(Command::Outcome{});
  }
  Command::Outcome sh(const std::string& text, base::Duration limit = 5s) {
    return run({"/bin/sh", "-c", text}, limit);
  }

  Loop loop_;
  test::Folder folder_;
};

TEST_F(CommandTest, ExitCodeZeroIsSuccess) {
  const Command::Outcome outcome = run({"/bin/true"});
  EXPECT_TRUE(outcome.success);
  EXPECT_EQ(outcome.text, "exit code 0");
}

TEST_F(CommandTest, TellsHowItEnded) {
  EXPECT_EQ(sh("exit 3").text, "exit code 3");
  EXPECT_EQ(sh("kill -9 $$").text, "killed by signal 9 (Killed)");
  EXPECT_FALSE(sh("kill -9 $$").success);
}

TEST_F(CommandTest, KeepsTheLastLineOfItsOutput) {
  EXPECT_EQ(sh("echo first; echo 'no \a route' >&2; echo").output, "no   route");
  EXPECT_EQ(sh("true").output, "");
  const std::string much = sh("yes | head -c 300000; echo; echo end").output;
  EXPECT_EQ(much, "end");
}

TEST_F(CommandTest, ArgumentsAreGivenAsTheyAre) {
  const std::string script = folder_.script("args", "echo \"$0|$1|$2|$#\"");
  EXPECT_EQ(run({script, "two words", "$HOME;*"}).output, script + "|two words|$HOME;*|2");
}

TEST_F(CommandTest, SeesNothingOfOurs) {
  setenv("SECRET", "x", 1);
  signal(SIGPIPE, SIG_IGN);
  const base::Fd leaked(fcntl(STDIN_FILENO, F_DUPFD, 77));  // not CLOEXEC: somebody forgot
  EXPECT_EQ(sh("echo \"[$SECRET] $(pwd)\"").output, "[] /");
  EXPECT_FALSE(sh("test -e /proc/$$/fd/" + std::to_string(leaked.get())).success);
  EXPECT_EQ(run({"/bin/grep", "SigIgn", "/proc/self/status"}).output, "SigIgn: 0000000000000000");
  EXPECT_EQ(run({"/bin/grep", "SigBlk", "/proc/self/status"}).output, "SigBlk: 0000000000000000");
  EXPECT_EQ(run({"/bin/grep", "NoNewPrivs", "/proc/self/status"}).output, "NoNewPrivs: 1");
  EXPECT_EQ(sh("cat; echo ended").output, "ended");  // its input is empty
}

TEST_F(CommandTest, IsEndedAfterItsTimeWithAllItsChildren) {
  const std::string pids = folder_.file("pids");
  const auto begin = std::chrono::steady_clock::now();
  const Command::Outcome outcome =
      sh("trap '' TERM; (trap '' TERM; echo $$; exec sleep 60) >" + pids + " & echo waiting; wait; sleep 60", 200ms);
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_FALSE(outcome.success);
  EXPECT_EQ(outcome.text, "took longer than 0.2 s");
  EXPECT_EQ(outcome.output, "waiting");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1200ms);  // it was asked first
  const pid_t group = std::stoi(content(pids));
  EXPECT_TRUE(test::run_until(loop_, [&] { return kill(-group, 0) != 0; }));
}

TEST_F(CommandTest, TheOutcomeOfALateOneDoesNotWaitForItsEnd) {
  std::optional<Command::Outcome> got;
  Command command(loop_, [&](const Command::Outcome& outcome) { got = outcome; });
  ASSERT_TRUE(command.start(
      {.arguments = {"/bin/sh", "-c", "trap '' TERM; sleep 60"}, .identity = ourselves(), .limit = 100ms}));
  ASSERT_TRUE(test::run_until(loop_, [&] { return got.has_value(); }));
  EXPECT_TRUE(command.running());
  ASSERT_TRUE(test::run_until(loop_, [&] { return !command.running(); }));
}

TEST_F(CommandTest, OneThatEndsWellLeavesItsChildrenAlone) {
  const std::string pid = folder_.file("pid");
  EXPECT_TRUE(sh("sleep 60 >/dev/null 2>&1 & echo $! >" + pid).success);
  const pid_t left = std::stoi(content(pid));
  EXPECT_EQ(kill(left, 0), 0);
  kill(left, SIGKILL);
}

TEST_F(CommandTest, ADestroyedOneIsKilled) {
  const std::string pid = folder_.file("pid");
  auto command = std::make_unique<Command>(loop_, [](const Command::Outcome&) { FAIL(); });
  ASSERT_TRUE(command->start(
      {.arguments = {"/bin/sh", "-c", "echo $$ >" + pid + ".new; mv " + pid + ".new " + pid + "; sleep 60; true"},
       .identity = ourselves(),
       .limit = 60s}));
  ASSERT_TRUE(test::run_until(loop_, [&] { return fs::exists(pid); }));
  const pid_t group = std::stoi(content(pid));
  command.reset();
  EXPECT_TRUE(test::run_until(loop_, [&] { return kill(-group, 0) != 0; }));
}

TEST_F(CommandTest, MayBeDestroyedByItsOutcome) {
  std::unique_ptr<Command> command;
  bool told = false;
  command = std::make_unique<Command>(loop_, [&](const Command::Outcome&) {
    command.reset();
    told = true;
  });
  ASSERT_TRUE(command->start({.arguments = {"/bin/true"}, .identity = ourselves(), .limit = 5s}));
  EXPECT_TRUE(test::run_until(loop_, [&] { return told; }));
}

TEST_F(CommandTest, WhatCannotBeRunSaysWhy) {
  EXPECT_EQ(run({"/nonexistent/program"}).text, "cannot run: /nonexistent: No such file or directory");
  EXPECT_EQ(
      run({folder_.write("plain", "#!/bin/sh\n")}).text,
      "cannot run: " + folder_.file("plain") + ": Permission denied (is it executable, chmod +x, for this user?)");
  EXPECT_EQ(
      run({folder_.write("nohead", "exit 0\n", 0755)}).text,
      "cannot run: " + folder_.file("nohead") + ": Exec format error (a script's first line is #!/bin/sh or the like)");
  EXPECT_EQ(run({"/tmp"}).text, "cannot run: /tmp is a directory");
}

TEST_F(CommandTest, RunsAsTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto nobody = identity_of("nobody", "");
  ASSERT_TRUE(nobody);
  const std::string script = folder_.script("id", "echo $(id -un) $(id -gn) $(id -Gn) $HOME $USER");
  EXPECT_EQ(run({script}, 5s, *nobody).output, "nobody nogroup nogroup " + nobody->home + " nobody");
  EXPECT_EQ(run({"/bin/grep", "CapEff", "/proc/self/status"}, 5s, *nobody).output, "CapEff: 0000000000000000");
  EXPECT_EQ(run({script}, 5s, *identity_of("nobody", "daemon")).output,
            "nobody daemon daemon " + nobody->home + " nobody");
}

TEST_F(CommandTest, UnknownUsersAreNamed) {
  EXPECT_EQ(identity_of("no-such-user", "").error().message, "there is no user no-such-user");
  EXPECT_EQ(identity_of("root", "no-such-group").error().message, "there is no group no-such-group");
}

// --- who could have put it there ---

class ProgramPath : public CommandTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  std::string refusal(const std::string& path, uid_t user = 0) {
    const auto done = check_program_path(path, user);
    return done ? "" : done.error().message;
  }
  static constexpr uid_t kSomeone = 65534;
};

TEST_F(ProgramPath, RootsOwnIsFine) {
  EXPECT_EQ(refusal("/bin/sh"), "");
  EXPECT_EQ(refusal(folder_.script("ok", "")), "");
}

TEST_F(ProgramPath, AFileThatOthersMayWriteIsRefused) {
  const std::string file = folder_.script("open", "");
  chmod(file.c_str(), 0777);
  EXPECT_EQ(refusal(file), file + " can be written to by everybody (chmod go-w " + file + ")");
  chmod(file.c_str(), 0775);
  EXPECT_EQ(refusal(file), "") << "group root";
  ASSERT_EQ(chown(file.c_str(), 0, 1234), 0);
  EXPECT_EQ(refusal(file), file + " can be written to by group id 1234 (chmod go-w " + file + ")");
}

TEST_F(ProgramPath, SomebodyElsesFileIsRefusedTheUsersOwnIsNot) {
  const std::string file = folder_.script("theirs", "");
  ASSERT_EQ(chown(file.c_str(), kSomeone, 0), 0);
  EXPECT_NE(refusal(file).find("belongs to user id 65534"), std::string::npos);
  EXPECT_EQ(refusal(file, kSomeone), "");
}

TEST_F(ProgramPath, ADirectoryOnTheWayCountsToo) {
  const std::string directory = folder_.file("dir");
  fs::create_directory(directory);
  const std::string file = folder_.script("dir/program", "");
  EXPECT_EQ(refusal(file), "");
  chmod(directory.c_str(), 0777);
  EXPECT_EQ(refusal(file), directory + " can be written to by everybody (chmod go-w " + directory + ")");
  chmod(directory.c_str(), 01777);
  EXPECT_EQ(refusal(file), "") << "nobody else can replace what root has there";
}

// keepalived's hole of 2026: a link of root's to a file of somebody else's.
TEST_F(ProgramPath, ALinkLeadsToItsTarget) {
  const std::string theirs = folder_.script("theirs", ""), link = folder_.file("link");
  fs::create_symlink("./theirs", link);
  EXPECT_EQ(refusal(link), "");
  ASSERT_EQ(chown(theirs.c_str(), kSomeone, 0), 0);
  EXPECT_NE(refusal(link).find("theirs belongs to user id 65534"), std::string::npos);
}

TEST_F(ProgramPath, ALinkToADirectoryThatOthersMayWrite) {
  fs::create_directory(folder_.file("open"));
  chmod(folder_.file("open").c_str(), 0777);
  folder_.script("open/program", "");
  fs::create_directory_symlink(folder_.file("open"), folder_.file("link"));
  EXPECT_EQ(refusal(folder_.file("link/program")),
            folder_.file("open") + " can be written to by everybody (chmod go-w " + folder_.file("open") + ")");
}

TEST_F(ProgramPath, SomebodyElsesLinkIsRefused) {
  folder_.script("program", "");
  fs::create_symlink("program", folder_.file("link"));
  ASSERT_EQ(lchown(folder_.file("link").c_str(), kSomeone, 0), 0);
  EXPECT_NE(refusal(folder_.file("link")).find("link belongs to user id 65534"), std::string::npos);
}

TEST_F(ProgramPath, LinksGoUpAndMayNotTurnInCircles) {
  fs::create_directory(folder_.file("dir"));
  folder_.script("program", "");
  fs::create_symlink("../program", folder_.file("dir/link"));
  EXPECT_EQ(refusal(folder_.file("dir/link")), "");
  fs::create_symlink("circle", folder_.file("circle"));
  EXPECT_NE(refusal(folder_.file("circle")).find("Too many levels"), std::string::npos);
}

TEST_F(ProgramPath, ARefusedOneIsNotRun) {
  const std::string file = folder_.script("open", "touch " + folder_.file("ran"));
  chmod(file.c_str(), 0777);
  const Command::Outcome outcome = run({file});
  EXPECT_FALSE(outcome.success);
  EXPECT_EQ(outcome.text, "cannot run: " + refusal(file));
  EXPECT_FALSE(fs::exists(folder_.file("ran")));
}

}  // namespace
}  // namespace loop
