// SPDX-License-Identifier: Apache-2.0
// Two CPUs at once: the scheduler stays exact, a flow is never there twice, no packet is sent wrong.
#include <bpf/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "bpf/fixture.hpp"

namespace test {

class TwoCpus : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "needs two CPUs";
  }

  // Both CPUs wait here for each other.
  class Meeting {
   public:
    void wait() {
      const int round = round_;
      if (++here_ == 2) {
        here_ = 0;
        round_++;
      }
      while (round_ == round) {
      }
    }

   private:
    std::atomic<int> here_ = 0, round_ = 0;
  };

  // Runs `work(cpu)` on two CPUs, begun together.
  template <typename Work>
  static void on_two_cpus(Work work) {
    Meeting start;
    const auto body = [&](int cpu) {
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      CPU_SET(cpu, &cpus);
      pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
      start.wait();
      work(cpu);
    };
    std::thread other(body, 1);
    std::thread mine(body, 0);
    other.join();
    mine.join();
  }

  // Where the packet went: the real server's MAC address, or nothing.
  std::optional<base::Mac> send(const Packet& packet, uint32_t repeat = 1) const {
    Bytes out(packet.bytes().size());
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.bytes().data(), .data_out = out.data(),
                .data_size_in = static_cast<uint32_t>(packet.bytes().size()),
                .data_size_out = static_cast<uint32_t>(out.size()), .repeat = static_cast<int>(repeat));
    if (bpf_prog_test_run_opts(program_fd(), &options) || options.retval != XDP_TX) return std::nullopt;
    return base::Mac::from_bytes(out.data());
  }

  std::vector<RealServer> reals() const { return {real(34, 1), real(35, 2), real(36, 3)}; }
};

INSTANTIATE_TEST_SUITE_P(Both, TwoCpus, kBothFamilies, family_name);

TEST_P(TwoCpus, RoundRobinIsExactOverBothTogether) {
  const auto rest = virtual_server(vip_, 9826, kUdp, reals());
  constexpr uint16_t kEach = 3000;
  on_two_cpus([&](int cpu) {
    for (uint16_t i = 0; i < kEach; i++) send(udp(static_cast<uint16_t>(1 + cpu * kEach + i), 9826));
  });
  // What found no place in the eight ways went by the hash, without a turn of the scheduler.
  const uint64_t scheduled = counter(verdict_scheduled);
  // The last place both CPUs may have seen free: one of them lost it after it had taken its turn.
  EXPECT_GE(entry(rest).position, scheduled);
  EXPECT_LE(entry(rest).position, scheduled + 1);
  EXPECT_GE(scheduled, kWays);
}

TEST_P(TwoCpus, EveryConnectionTakesItsOwnTurn) {
  const auto rest = virtual_server(vip_, 9826, kTcp, reals());
  constexpr uint32_t kRounds = 3000;  // of two connections; the table is emptied by closing and opening again
  on_two_cpus([&](int cpu) {
    const auto port = static_cast<uint16_t>(1000 + cpu);
    for (uint32_t i = 0; i < kRounds; i++) {
      send(tcp(port, 9826, kSyn));
      send(tcp(port, 9826, kFin | kAck));
    }
  });
  EXPECT_EQ(counter(verdict_scheduled), 2 * kRounds);
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(stats(rest.slots[i]).connections, 2 * kRounds * (i + 1) / 6) << i;
}

TEST_P(TwoCpus, OneFlowInsertedTwiceIsThereOnce) {
  virtual_server(vip_, 9826, kTcp, reals());
  const auto syn = tcp(40000, 9826, kSyn);
  constexpr int kEnough = 1000, kAtMost = 200000;  // insertions of both CPUs at once; rounds
  int collisions = 0, twice = 0;
  bool done = false;
  Meeting meeting;
  on_two_cpus([&](int cpu) {
    for (int round = 0; !done; round++) {
      meeting.wait();
      send(syn);
      meeting.wait();
      if (cpu == 0) {
        twice += connections().size() != 1;
        clear_connections();
        if (round % 256 == 255) collisions = static_cast<int>(counter(verdict_scheduled)) - round - 1;
        done = collisions >= kEnough || round == kAtMost || twice > 0;
      }
      meeting.wait();
    }
  });
  EXPECT_EQ(twice, 0);
  if (collisions == 0) GTEST_SKIP() << "the two CPUs never inserted at the same time";
}

TEST_P(TwoCpus, NoPacketIsSentToAServerOfAnotherVirtualServer) {
  const auto first = real(34);
  const auto second = real(35);
  const auto a = virtual_server(vip_, 1, kTcp, {first});
  const auto b = virtual_server(vip_, 2, kTcp, {second});
  for (const auto& server : {a, b}) slot(server.slots[0]).timeout_ticks[XD_OPENING] = 0;
  std::atomic<int> wrong = 0, lost = 0;
  std::atomic<bool> stop = false;
  std::thread ageing([&] {  // so that ways are replaced all the time
    while (!stop) pass_ticks(2);
  });
  on_two_cpus([&](int) {
    for (uint16_t i = 0; i < 20000; i++) {
      const bool to_first = i % 2;
      const auto out = send(tcp(static_cast<uint16_t>(1 + i % 24), to_first ? 1 : 2, i % 3 ? kAck : kSyn));
      if (!out) lost++;
      if (out && *out != (to_first ? first : second).mac) wrong++;
    }
  });
  stop = true;
  ageing.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(lost, 0);
}

}  // namespace test
