// SPDX-License-Identifier: Apache-2.0
// The tcp check against real sockets on the loopback interface.
#include "health/tcp.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>
#include <vector>

#include "base/fd.hpp"

namespace health {
namespace {

using namespace std::chrono_literals;

const base::Ipv4 kLoopback = *base::Ipv4::parse("127.0.0.1");

// A TCP socket on a free port of the loopback interface; listening only if told so.
class LocalPort {
 public:
  LocalPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in any = at(0);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    port_ = ntohs(bound.sin_port);
  }
  void listen(int backlog) { EXPECT_EQ(::listen(socket_.get(), backlog), 0); }
  base::Fd accept() { return base::Fd(::accept(socket_.get(), nullptr, nullptr)); }

  // A backlog of 0 holds one connection; with it there, the kernel ignores every further SYN.
  void listen_and_never_answer() {
    listen(0);
    filler_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in here = at(port_);
    EXPECT_EQ(::connect(filler_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)), 0);
  }

  uint16_t port() const { return port_; }
  std::string name() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  static sockaddr_in at(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = kLoopback.network();
    return address;
  }
  base::Fd socket_, filler_;
  uint16_t port_ = 0;
};

struct Tried {
  Outcome outcome;
  bool within_start = false;  // called back before start_tcp() had returned
};

Tried try_once(uint16_t port, base::Duration timeout, base::Ip address = kLoopback) {
  loop::Loop loop;
  std::optional<Outcome> outcome;
  const auto probe = start_tcp(loop, address, {.connect_timeout = timeout, .connect_port = port}, [&](Outcome o) {
    EXPECT_FALSE(outcome) << "called back twice";
    outcome = std::move(o);
    loop.stop();
  });
  if (outcome) return {*outcome, true};
  loop.run();
  return {*outcome, false};
}

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

TEST(HealthTcp, AnAcceptedConnectionPasses) {
  LocalPort port;
  port.listen(8);
  const Tried tried = try_once(port.port(), 3s);
  EXPECT_EQ(tried.outcome, (Outcome{Verdict::passed, "connected to " + port.name()}));
  EXPECT_FALSE(tried.within_start);
}

TEST(HealthTcp, Ipv6) {
  const base::Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 bound{};
  bound.sin6_family = AF_INET6;
  bound.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof(bound);
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&bound), size) != 0) GTEST_SKIP() << "no IPv6";
  ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  const uint16_t port = ntohs(bound.sin6_port);
  const base::Ip loopback = *base::Ip::parse("::1");
  EXPECT_EQ(try_once(port, 3s, loopback).outcome,
            (Outcome{Verdict::failed, "connect to " + loopback.str(port) + ": Connection refused"}));
  ASSERT_EQ(::listen(socket.get(), 8), 0);
  EXPECT_EQ(try_once(port, 3s, loopback).outcome, (Outcome{Verdict::passed, "connected to " + loopback.str(port)}));
}

TEST(HealthTcp, ARefusedConnectionFailsAtOnce) {
  LocalPort port;
  const Tried tried = try_once(port.port(), 3600s);
  EXPECT_EQ(tried.outcome, (Outcome{Verdict::failed, "connect to " + port.name() + ": Connection refused"}));
  EXPECT_FALSE(tried.within_start);
}

TEST(HealthTcp, SilenceFailsAfterConnectTimeout) {
  LocalPort port;
  port.listen_and_never_answer();
  const base::Time before = base::now();
  const Tried tried = try_once(port.port(), 50ms);
  EXPECT_EQ(tried.outcome, (Outcome{Verdict::failed, "connect to " + port.name() + ": timed out after 0.05 s"}));
  EXPECT_GE(base::now() - before, 50ms);
}

// A worker that was stopped or starved finds answer and timeout together when it wakes.
TEST(HealthTcp, AnAnswerThatCameInTimePassesHoweverLateWeLook) {
  LocalPort port;
  port.listen(8);
  loop::Loop loop;
  std::optional<Outcome> outcome;
  const auto probe = start_tcp(loop, kLoopback, {.connect_timeout = 5ms, .connect_port = port.port()}, [&](Outcome o) {
    outcome = std::move(o);
    loop.stop();
  });
  const base::Time late = base::now() + 10ms;
  while (base::now() < late) {
  }
  loop.run();
  EXPECT_EQ(outcome->verdict, Verdict::passed);
}

TEST(HealthTcp, AnErrorThatConnectReturnsAtOnceIsToldFromTheLoopToo) {
  const Tried tried = try_once(80, 3600s, *base::Ipv4::parse("255.255.255.255"));  // TCP has no broadcast
  EXPECT_EQ(tried.outcome, (Outcome{Verdict::failed, "connect to 255.255.255.255:80: Network is unreachable"}));
  EXPECT_FALSE(tried.within_start);
}

TEST(HealthTcp, ClosesWithAResetSoThatNothingStaysInTimeWait) {
  LocalPort port;
  port.listen(8);
  EXPECT_EQ(try_once(port.port(), 3s).outcome.verdict, Verdict::passed);
  const base::Fd accepted = port.accept();
  char byte = 0;
  EXPECT_EQ(::recv(accepted.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(HealthTcp, NoDescriptorLeftIsUnknownNotDown) {
  LocalPort port;
  port.listen(8);
  loop::Loop loop;
  std::optional<Outcome> outcome;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto probe = start_tcp(loop, kLoopback, {.connect_timeout = 3s, .connect_port = port.port()}, [&](Outcome o) {
    outcome = std::move(o);
    loop.stop();
  });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(outcome);
  loop.run();
  EXPECT_EQ(*outcome, (Outcome{Verdict::unknown, "connect to " + port.name() + ": Too many open files"}));
}

TEST(HealthTcp, ADestroyedProbeNeverCallsBack) {
  LocalPort port;
  port.listen(8);
  loop::Loop loop;
  auto probe = start_tcp(loop, kLoopback, {.connect_timeout = 3s, .connect_port = port.port()},
                         [](const Outcome&) { FAIL() << "called back"; });
  probe.reset();
  loop::Timer end(loop, [&] { loop.stop(); });
  end.start(base::Duration::zero());
  loop.run();
}

TEST(HealthTcp, LeavesNoDescriptorBehind) {
  LocalPort listening, refusing, silent;
  listening.listen(64);
  silent.listen_and_never_answer();
  const size_t before = open_descriptors();
  for (int i = 0; i < 10; ++i) {
    try_once(listening.port(), 3s);
    try_once(refusing.port(), 3s);
    try_once(silent.port(), 1ms);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(HealthTcp, WhatThePeerOrTheWayToItDoesIsAFailure) {
  for (const int error : {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN}) {
    EXPECT_EQ(tcp_verdict(error), Verdict::failed) << strerror(error);
  }
}

TEST(HealthTcp, WhatWeLackIsUnknown) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EAGAIN, EPERM, EACCES, ENETDOWN}) {
    EXPECT_EQ(tcp_verdict(error), Verdict::unknown) << strerror(error);
  }
}

}  // namespace health
