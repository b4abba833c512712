// SPDX-License-Identifier: Apache-2.0
// Channel over real socket pairs: whole messages with their descriptors, in order, and a peer that is trusted with
// nothing.
#include "ipc/channel.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <span>

namespace ipc {
namespace {

using namespace std::chrono_literals;

HealthReport report(uint64_t id, std::string outcome = "answers") {
  return {.id = id, .up = true, .unknown = false, .outcome = std::move(outcome), .at_unix = 1};
}

std::pair<ino_t, bool> identity(int fd) {
  struct stat stat{};
  const bool open = ::fstat(fd, &stat) == 0;
  return {stat.st_ino, open};
}

base::Fd memory_file(const std::string& text, int seals) {
  base::Fd file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(::fcntl(file.get(), F_ADD_SEALS, seals), 0);
  return file;
}

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

class IpcChannel : public testing::Test {
 protected:
  struct Got {
    Message message;
    base::Fd attached;
  };

  IpcChannel() {
    auto ends = *Channel::make_pair();
    far_ = std::move(ends.first);
    near_ = std::make_unique<Channel>(loop_, std::move(ends.second),
                                      Channel::Handlers{.on_message =
                                                            [this](Message message, base::Fd attached) {
                                                              got_.push_back({std::move(message), std::move(attached)});
                                                              if (on_got_) on_got_();
                                                            },
                                                        .on_closed =
                                                            [this] {
                                                              ++closed_;
                                                              if (on_closed_) on_closed_();
                                                            }});
  }

  // The other end as a channel too; without it, as a bare socket for packets of the test's own.
  Channel& far_channel() {
    if (!far_channel_) {
      far_channel_ = std::make_unique<Channel>(
          loop_, std::move(far_),
          Channel::Handlers{.on_message = [](const Message&, const base::Fd&) {}, .on_closed = [] {}});
    }
    return *far_channel_;
  }

  void send_raw(const std::string& bytes, std::span<const int> fds = {}) {
    iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 8)> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(fds.size_bytes());
      cmsghdr* c = CMSG_FIRSTHDR(&header);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
    }
    ASSERT_EQ(::sendmsg(far_.get(), &header, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  // Until `done`; fails after 10 s.
  template <typename Done>
  void run_until(Done done) {
    const base::Time end = base::now() + 10s;
    loop::Timer step(loop_, [&] {
      if (done() || base::now() > end) loop_.stop();
    });
    step.start_every(1ms);
    loop_.run();
    EXPECT_TRUE(done());
  }
  void run_until_got(size_t count) {
    run_until([&] { return got_.size() >= count; });
  }
  void run_until_closed() {
    run_until([&] { return closed_ > 0; });
  }

  loop::Loop loop_;
  base::Fd far_;
  std::unique_ptr<Channel> near_, far_channel_;
  std::vector<Got> got_;
  int closed_ = 0;
  std::function<void()> on_got_, on_closed_;
};

constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

}  // namespace

TEST_F(IpcChannel, DeliversAMessage) {
  ASSERT_TRUE(far_channel().send(report(7)));
  run_until_got(1);
  EXPECT_EQ(got_[0].message, Message(report(7)));
  EXPECT_FALSE(got_[0].attached);
}

TEST_F(IpcChannel, DeliversTheAttachedDescriptorCloseOnExec) {
  const base::Fd file = memory_file("x", kSealed);
  ASSERT_TRUE(far_channel().send(report(7), file.get()));
  run_until_got(1);
  EXPECT_EQ(identity(got_[0].attached.get()), identity(file.get()));
  EXPECT_EQ(::fcntl(got_[0].attached.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(IpcChannel, ALongMessageArrivesWholeWithItsDescriptor) {
  const base::Fd file = memory_file("x", kSealed);
  const std::string long_text(3'000'000, 'a');
  ASSERT_TRUE(far_channel().send(report(7, long_text), file.get()));
  ASSERT_TRUE(far_channel().send(report(8, long_text)));
  run_until_got(2);
  EXPECT_EQ(got_[0].message, Message(report(7, long_text)));
  EXPECT_EQ(identity(got_[0].attached.get()), identity(file.get()));
  EXPECT_EQ(got_[1].message, Message(report(8, long_text)));
  EXPECT_FALSE(got_[1].attached);
}

TEST_F(IpcChannel, EveryLengthAroundTheLimitOfAPacketArrives) {
  const size_t shortest = 32 * 1024 - 200;
  for (size_t i = 0; i < 400; ++i) ASSERT_TRUE(far_channel().send(report(i, std::string(shortest + i, 'a'))));
  run_until_got(400);
  for (size_t i = 0; i < 400; ++i) EXPECT_EQ(got_[i].message, Message(report(i, std::string(shortest + i, 'a'))));
}

TEST_F(IpcChannel, WhatTheSocketDoesNotTakeWaitsAndComesInOrder) {
  constexpr uint64_t kCount = 2000;
  const std::string text(1000, 'a');
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_TRUE(far_channel().send(report(i, text)));
  EXPECT_TRUE(far_channel().congested());
  run_until_got(kCount);
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(std::get<HealthReport>(got_[i].message).id, i);
  EXPECT_FALSE(far_channel().congested());
}

TEST_F(IpcChannel, AnAttachedDescriptorMayBeClosedWhileItsMessageWaits) {
  while (!far_channel().congested()) ASSERT_TRUE(far_channel().send(report(1, std::string(10'000, 'a'))));
  base::Fd file = memory_file("x", kSealed);
  const auto expected = identity(file.get());
  ASSERT_TRUE(far_channel().send(report(2), file.get()));
  file.reset();
  run_until([&] { return !got_.empty() && std::get<HealthReport>(got_.back().message).id == 2; });
  EXPECT_EQ(identity(got_.back().attached.get()), expected);
}

TEST_F(IpcChannel, SendingToOneWhoNeverReadsEndsInAnErrorNotInAWait) {
  base::Result<> sent;
  for (size_t i = 0; i < 2 * Channel::kLongestQueue && sent; ++i) sent = far_channel().send(Stop{});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, "the other process does not read its messages");
}

TEST_F(IpcChannel, WhatWasSentBeforeTheEndIsDeliveredBeforeIt) {
  on_closed_ = [&] { EXPECT_EQ(got_.size(), 2u); };
  ASSERT_TRUE(far_channel().send(report(1)));
  ASSERT_TRUE(far_channel().send(report(2)));
  far_channel_.reset();
  run_until_closed();
  EXPECT_EQ(closed_, 1);
  EXPECT_FALSE(near_->send(report(3))) << "nobody is there";
}

TEST_F(IpcChannel, TheChannelMayBeDestroyedInItsHandlers) {
  on_got_ = [&] { near_.reset(); };
  ASSERT_TRUE(far_channel().send(report(1)));
  ASSERT_TRUE(far_channel().send(report(2)));
  run_until_got(1);
  run_until([&] { return !far_channel().send(report(3)); });
  EXPECT_EQ(got_.size(), 1u);
  EXPECT_EQ(closed_, 0);
}

TEST_F(IpcChannel, TheChannelMayBeDestroyedWhenItEnds) {
  on_closed_ = [&] { near_.reset(); };
  far_.reset();
  run_until_closed();
  EXPECT_EQ(closed_, 1);
}

class IpcChannelNonsense : public IpcChannel, public testing::WithParamInterface<std::string> {};
TEST_P(IpcChannelNonsense, EndsIt) {
  send_raw(GetParam());
  run_until_closed();
  EXPECT_TRUE(got_.empty());
}
INSTANTIATE_TEST_SUITE_P(Packets, IpcChannelNonsense,
                         testing::Values("x", "i", "i{", "m", R"(i{"type":"nosuch"})", std::string(100'000, 'i')));

class IpcChannelMemoryFile : public IpcChannel, public testing::WithParamInterface<int> {
 protected:
  void send_file(int seals) {
    const base::Fd file = memory_file(encode(report(1)), seals);
    send_raw("m", std::array{file.get()});
  }
};
TEST_P(IpcChannelMemoryFile, ThatCanStillChangeIsNotRead) {
  send_file(kSealed);
  run_until_got(1);
  send_file(GetParam());
  run_until_closed();
  EXPECT_EQ(got_.size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Seals, IpcChannelMemoryFile, testing::Values(0, F_SEAL_SHRINK, F_SEAL_WRITE));

TEST_F(IpcChannel, DescriptorsThatNobodyWantsDoNotStayOpen) {
  const base::Fd file = memory_file("x", kSealed);
  const size_t before = open_descriptors();
  const std::array many{file.get(), file.get(), file.get(), file.get(), file.get()};
  send_raw("i" + encode(report(1)), std::array{file.get(), file.get()});
  run_until_got(1);
  got_.clear();
  EXPECT_EQ(open_descriptors(), before);
  send_raw("i" + encode(report(1)), many);
  run_until_closed();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(IpcChannel, ADescriptorThatCouldNotBeReceivedEndsItRatherThanBeingMissed) {
  const base::Fd file = memory_file("x", kSealed);
  ASSERT_TRUE(far_channel().send(report(1), file.get()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  run_until([&] { return closed_ > 0 || !got_.empty(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(closed_, 1);
  EXPECT_TRUE(got_.empty()) << "a message without the descriptor that was sent with it";
}

TEST_F(IpcChannel, OneWhoTalksWithoutEndDoesNotStarveTheRestOfTheLoop) {
  bool timer_fired = false;
  loop::Timer timer(loop_, [&] {
    timer_fired = true;
    loop_.stop();
  });
  timer.start(base::Duration::zero());
  const std::string packet = "i" + encode(report(1));
  size_t refills = 0;
  on_got_ = [&] {  // for each message that is read another one is there
    if (++refills < 100'000) send_raw(packet);
  };
  send_raw(packet);
  loop_.run();
  EXPECT_TRUE(timer_fired);
  EXPECT_LT(refills, 100'000u);
}

}  // namespace ipc
