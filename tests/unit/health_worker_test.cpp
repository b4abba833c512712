// SPDX-License-Identifier: Apache-2.0
// The health worker as a process of its own, over a real channel. Needs root, for the worker gives it up.
#include "health/worker.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "ipc/worker.hpp"

namespace health {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr base::Duration kPatience = 10s;  // for what takes milliseconds

base::Fd bound_socket(uint16_t& port) {
  base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return socket;
}

// Becomes the worker, with `end` where a worker looks for its channel.
[[noreturn]] void become_worker(const base::Fd& end) {
  ::dup2(end.get(), ipc::kWorkerFd);
  ::closefrom(ipc::kWorkerFd + 1);  // as exec would: nothing else of the parent's
  ::_exit(run_worker(base::log::Level::error));
}

class HealthWorker : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give root up";
  }

  void TearDown() override {
    channel_.reset();
    if (worker_ <= 0) return;
    ::kill(worker_, SIGKILL);
    ::waitpid(worker_, nullptr, 0);
  }

  // The parent's side of the channel.
  void listen(base::Fd end) {
    channel_ = std::make_unique<ipc::Channel>(loop_.emplace(), std::move(end),
                                              ipc::Channel::Handlers{
                                                  .on_message = [this](ipc::Message m, base::Fd) { received(m); },
                                                  .on_closed =
                                                      [this] {
                                                        closed_ = true;
                                                        loop_->stop();
                                                      },
                                              });
  }

  void start() {
    auto ends = *ipc::Channel::make_pair();
    worker_ = ::fork();
    if (worker_ == 0) become_worker(ends.second);
    ends.second.reset();
    listen(std::move(ends.first));
  }

  void configure(uint64_t id, uint16_t port, bool up) {
    const model::TcpCheck check{.connect_timeout = 3s, .retry = 0, .delay_before_retry = 1s, .connect_port = port};
    const ipc::HealthTarget target{.id = id,
                                   .virtual_server = "rest",
                                   .address = *base::Ipv4::parse("127.0.0.1"),
                                   .port = port,
                                   .delay_loop = 1h,
                                   .checks = {check},
                                   .up = up};
    ASSERT_TRUE(channel_->send(ipc::ConfigureHealth{{target}}));
  }

  // What comes next of this type.
  template <typename T>
  T next() {
    std::optional<T> found;
    on_message_ = [&](const ipc::Message& message) {
      if (const auto* wanted = std::get_if<T>(&message)) {
        found = *wanted;
        loop_->stop();
      }
    };
    run();
    on_message_ = nullptr;
    EXPECT_TRUE(found) << "it never came";
    return found.value_or(T{});
  }

  void run() {
    loop::Timer patience(*loop_, [this] {
      ADD_FAILURE() << "nothing for 10 s";
      loop_->stop();
    });
    patience.start(kPatience);
    loop_->run();
  }

  // Of the worker, once it has ended.
  int wait_status() {
    int status = -1;
    EXPECT_EQ(::waitpid(worker_, &status, 0), worker_);
    worker_ = -1;
    return status;
  }

  void received(const ipc::Message& message) {
    if (on_message_) on_message_(message);
  }

  std::string proc(const std::string& file) const {
    std::ifstream in("/proc/" + std::to_string(worker_) + "/" + file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  pid_t worker_ = -1;
  bool closed_ = false;
  std::optional<loop::Loop> loop_;
  std::unique_ptr<ipc::Channel> channel_;
  std::function<void(const ipc::Message&)> on_message_;
};

}  // namespace

TEST_F(HealthWorker, ReportsARealServerThatAnswersAsUp) {
  uint16_t port = 0;
  const base::Fd listening = bound_socket(port);
  ASSERT_EQ(::listen(listening.get(), 8), 0);
  start();
  configure(7, port, false);
  const auto report = next<ipc::HealthReport>();
  EXPECT_EQ(report.id, 7u);
  EXPECT_TRUE(report.up);
  EXPECT_FALSE(report.unknown);
  EXPECT_EQ(report.outcome, "connected to 127.0.0.1:" + std::to_string(port));
}

TEST_F(HealthWorker, ReportsARealServerThatRefusesAsDown) {
  uint16_t port = 0;
  const base::Fd silent = bound_socket(port);
  start();
  configure(7, port, true);
  const auto report = next<ipc::HealthReport>();
  EXPECT_FALSE(report.up);
  EXPECT_THAT(report.outcome, HasSubstr("Connection refused"));
}

TEST_F(HealthWorker, IsNobodyWithoutCapabilitiesWhenItMeetsTheNetwork) {
  uint16_t port = 0;
  const base::Fd silent = bound_socket(port);
  start();
  configure(7, port, true);
  next<ipc::HealthReport>();
  const std::string status = proc("status");
  for (const char* line :
       {"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n", "\nGroups:\t \n",
        "\nCapInh:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n", "\nCapEff:\t0000000000000000\n",
        "\nCapBnd:\t0000000000000000\n", "\nCapAmb:\t0000000000000000\n", "\nNoNewPrivs:\t1\n"}) {
    EXPECT_THAT(status, HasSubstr(line));
  }
}

TEST_F(HealthWorker, BeatsFromItsOwnLoop) {
  start();
  const auto first = next<ipc::Heartbeat>();
  EXPECT_LT(first.at, next<ipc::Heartbeat>().at);
}

TEST_F(HealthWorker, EndsWithExitCodeZeroWhenToldTo) {
  start();
  ASSERT_TRUE(channel_->send(ipc::Stop{}));
  run();
  ASSERT_TRUE(closed_);
  const int status = wait_status();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(HealthWorker, EndsWhenItsChannelEnds) {
  start();
  next<ipc::Heartbeat>();
  channel_.reset();
  EXPECT_TRUE(WIFEXITED(wait_status()));
}

// PDEATHSIG is lost with the change of user, and the channel does not tell while someone else holds the parent's end.
TEST_F(HealthWorker, EndsWithItsParentAlsoAfterTheChangeOfUser) {
  uint16_t port = 0;
  const base::Fd silent = bound_socket(port);
  auto ends = *ipc::Channel::make_pair();
  const pid_t parent = ::fork();
  if (parent == 0) {
    if (::fork() == 0) become_worker(ends.second);
    ends.second.reset();
    ::pause();
    ::_exit(0);
  }
  ends.second.reset();
  listen(std::move(ends.first));
  configure(7, port, true);
  next<ipc::HealthReport>();  // it has dropped everything by now
  ASSERT_FALSE(closed_);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  run();
  EXPECT_TRUE(closed_);
}

}  // namespace health
