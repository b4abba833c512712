// SPDX-License-Identifier: Apache-2.0
// A flood: half a table of established connections, then millions of spoofed SYNs, spoofed ACKs and datagrams. No
// established connection loses its real server, new clients still connect, every packet is counted once.
//
//   XDIRECTOR_FLOOD_PACKETS=10000000 flood_test    of each kind and for each family; 2000000 otherwise
//
// A tick is a quarter of a second here, so that a flood lasts many of them. A new client's ACK follows its SYN within a
// tick, as it does in the world, where a tick is a second.
#include <chrono>
#include <cstdio>

#include "bpf/load/traffic.hpp"

namespace test {

class Flood : public EachFamily {
 protected:
  static constexpr uint32_t kBuckets = 1 << 19;
  static constexpr uint32_t kTickShift = 6;  // 64 jiffies: 256 ms at 250 Hz
  static constexpr uint32_t kEstablished = 1 << 20, kNewClients = 1000, kFlows = 2 * kEstablished;
  static constexpr uint32_t kChunk = 1'000'000;         // spoofed packets between two looks at everything
  static constexpr uint32_t kWithinRoundTrip = 20'000;  // of them come between a new client's SYN and its ACK
  static constexpr uint32_t kOurs = 10U << 24, kSpoofed = 20U << 24;  // client addresses, or their last 32 bits
  static constexpr uint16_t kReals = 8;

  static void SetUpTestSuite() { table_sizes.buckets = kBuckets; }

  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    settings().tick_shift = kTickShift;
    std::vector<RealServer> reals;
    for (int i = 0; i < kReals; i++) reals.push_back(real(10 + i));
    for (const uint8_t protocol : {kTcp, kUdp}) virtual_server(vip_, 80, protocol, reals);
    for (uint16_t number = 1; number <= 2 * kReals; number++) {
      auto& timeouts = slot(number).timeout_ticks;
      timeouts[XD_OPENING] = 60;
      timeouts[XD_CLOSING] = 120;
      timeouts[XD_YOUNG] = timeouts[XD_PROVEN] = 900;
    }
    Traffic::name_real_servers(program(), 2 * kReals);
    traffic_.emplace(program(), kFlows);
    for (const auto rule : {TRAFFIC_FIXED, TRAFFIC_ANYWHERE}) {
      syn_.at(rule) = traffic_->add(tcp(1, 80, kSyn), 0, rule);
      ack_.at(rule) = traffic_->add(tcp(1, 80, kAck), 0, rule);
      datagram_.at(rule) = traffic_->add(udp(1, 80), 0, rule);
    }
  }

  // Packets of the clients `first`, `first + 1`, ..., half of them by each CPU.
  void send(uint32_t frame, traffic_rule rule, uint32_t first, uint32_t count) {
    sent_ += count / cpu_count() * cpu_count();
    on_each_cpu([&](uint32_t number) {
      traffic_cpu& cpu = traffic_->cpu(number);
      cpu.order = TRAFFIC_VARIED;
      cpu.first = frame;
      cpu.count = 1;
      cpu.address_at = ipv6() ? 14 + 8 + 12 : 14 + 12;
      cpu.port_at = ipv6() ? 14 + 40 : 14 + 20;
      cpu.base = rule == TRAFFIC_FIXED ? kOurs : kSpoofed;
      cpu.tracked = rule == TRAFFIC_FIXED;
      cpu.next = first + number * (count / cpu_count());
      traffic_->send(count / cpu_count());
    });
  }
  void ours(const std::array<uint32_t, 2>& frames, uint32_t first, uint32_t count) {
    send(frames[TRAFFIC_FIXED], TRAFFIC_FIXED, first, count);
  }
  void spoofed(const std::array<uint32_t, 2>& frames, uint32_t count) {
    send(frames[TRAFFIC_ANYWHERE], TRAFFIC_ANYWHERE, next_spoofed_, count);
    next_spoofed_ += count;
  }

  // Until every connection that has an entry is proven: seen in two ticks. The few that found no room are nobody's: a
  // datagram without an entry is scheduled as soon as there is room.
  void establish() {
    ours(syn_, 0, kTcpFlows);
    do still_there();
    while (proven() != count_entries([](const xd_way& way) { return way.w0 != 0; }));
    for (uint32_t i = 0; i < kEstablished; i++)
      traffic_->expected(i) = {.slot = TRAFFIC_NOBODY, .before = 0, .reserved = 0};
    for_each_way([this](const xd_way& way, uint32_t client) {
      if (way.w0 != 0) traffic_->expected(client - kOurs) = {};
    });
    still_there();
    established_ = proven();
    EXPECT_GT(established_, kEstablished * 0.999);
    EXPECT_LE(established_, kEstablished);
  }
  void still_there() {
    ours(ack_, 0, kTcpFlows);
    ours(datagram_, kTcpFlows, kUdpFlows);
  }
  static constexpr uint32_t kUdpFlows = kEstablished / 8, kTcpFlows = kEstablished - kUdpFlows;

  // The way, and the client's last 32 bits in host byte order.
  template <typename Visit>
  void for_each_way(Visit visit) const {
    for (uint32_t i = 0; i < kBuckets * XD_WAYS; i++) {
      const xd_bucket& bucket = ipv6() ? program().connections6[i / XD_WAYS].ways : program().connections[i / XD_WAYS];
      const xd_way& way = bucket.way[i % XD_WAYS];
      const auto client =
          ipv6() ? static_cast<uint32_t>(program().connections6[i / XD_WAYS].of[i % XD_WAYS].client[1] >> 32)
                 : static_cast<uint32_t>(way.client);
      visit(way, __builtin_bswap32(client));
    }
  }
  template <typename Which>
  uint64_t count_entries(Which which) const {
    uint64_t found = 0;
    for_each_way([&](const xd_way& way, uint32_t) { found += which(way); });
    return found;
  }
  uint64_t proven() const {
    return count_entries([](const xd_way& way) { return way.w0 != 0 && way.state == XD_PROVEN; });
  }

  // Packets of `ours` that did not go where their connection's first went.
  uint64_t wrong() const {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < cpu_count(); i++) sum += traffic_->cpu(i).wrong;
    return sum;
  }
  uint64_t counted() const {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < XD_VERDICT_COUNT; i++) sum += counter(static_cast<xd_verdict>(i));
    return sum;
  }

  // What became of the new clients.
  struct NewClients {
    uint32_t opened = 0, late = 0;                 // late: the machine was too busy to answer within a tick
    uint64_t unlearned = 0, broken = 0, lost = 0;  // lost: idle for some ticks, still unproven, and displaced then
  };

  // A wave of new clients in the midst of it.
  void open_and_flood(const std::array<uint32_t, 2>& frames, uint32_t packets, NewClients& clients) {
    const uint32_t first = next_new_;
    next_new_ += kNewClients;
    const uint64_t unlearned = counter(verdict_unlearned), before = wrong();
    const auto start = std::chrono::steady_clock::now();
    ours(syn_, first, kNewClients);
    clients.unlearned += counter(verdict_unlearned) - unlearned;
    spoofed(frames, kWithinRoundTrip);
    ours(ack_, first, kNewClients);
    const bool in_time = std::chrono::steady_clock::now() - start < std::chrono::milliseconds(250);
    const uint64_t broken = wrong() - before;
    clients.opened += kNewClients;
    in_time ? clients.broken += broken : clients.late += kNewClients;
    spoofed(frames, packets - kWithinRoundTrip);
    ours(ack_, first, kNewClients);
    clients.lost += wrong() - before - broken;
  }

  void flood(const char* kind, const std::array<uint32_t, 2>& frames) {
    const auto packets = static_cast<uint32_t>(from_environment("XDIRECTOR_FLOOD_PACKETS", 2e6));
    NewClients clients;
    std::array<uint64_t, XD_VERDICT_COUNT> before{};
    for (uint32_t i = 0; i < XD_VERDICT_COUNT; i++) before.at(i) = counter(static_cast<xd_verdict>(i));
    for (uint32_t done = 0; done < packets; done += kChunk) open_and_flood(frames, std::min(kChunk, packets), clients);

    std::printf("%10s:", kind);
    for (uint32_t i = 0; i < XD_VERDICT_COUNT; i++) {
      const auto delta = counter(static_cast<xd_verdict>(i)) - before.at(i);
      if (delta) std::printf(" %s %.2f M", name(static_cast<xd_verdict>(i)), static_cast<double>(delta) / 1e6);
    }
    std::printf("\n            of %u new clients %lu without an entry, %lu broken; %lu lost that paused unproven%s\n",
                clients.opened, clients.unlearned, clients.broken, clients.lost,
                clients.late ? " (the machine was too busy for some)" : "");
    EXPECT_EQ(clients.broken, 0U) << "an ACK did not go where its SYN had gone";

    const uint64_t wrong_before = wrong(), hits = counter(verdict_forwarded);
    still_there();
    EXPECT_EQ(wrong() - wrong_before, 0U) << "established connections lost their real server";
    EXPECT_GE(counter(verdict_forwarded) - hits, established_) << "established connections lost their entry";
    EXPECT_EQ(counted(), sent_) << "a packet is counted under exactly one verdict";
  }

  std::optional<Traffic> traffic_;
  std::array<uint32_t, 2> syn_{}, ack_{}, datagram_{};  // frames by rule
  uint32_t next_spoofed_ = 0, next_new_ = kEstablished;
  uint64_t sent_ = 0, established_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Both, Flood, kBothFamilies, family_name);

TEST_P(Flood, CostsNewConnectionsAtMost) {
  establish();
  flood("SYNs", syn_);
  flood("ACKs", ack_);
  flood("datagrams", datagram_);
}

}  // namespace test
