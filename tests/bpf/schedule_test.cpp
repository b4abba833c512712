// SPDX-License-Identifier: Apache-2.0
// Weighted round robin is exact; the consistent hash is the same everywhere; what each scheduler chooses from.
#include "bpf/fixture.hpp"

#include <map>
#include <set>

namespace test {

class Schedule : public EachFamily {
 protected:
  std::map<uint16_t, int> open_connections(int count) {
    std::map<uint16_t, int> per_slot;
    for (int i = 0; i < count; i++) {
      clear_connections();
      per_slot[slot_of(run(tcp(static_cast<uint16_t>(1000 + i), 9826, kSyn)))]++;
    }
    return per_slot;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Schedule, kBothFamilies, family_name);

TEST_P(Schedule, EveryCycleGivesEachRealServerItsWeight) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 2), real(33, 3)});
  const std::map<uint16_t, int> exact = {{rest.slots[0], 1}, {rest.slots[1], 2}, {rest.slots[2], 3}};
  for (int cycle = 0; cycle < 10; cycle++) EXPECT_EQ(open_connections(6), exact) << cycle;
}

TEST_P(Schedule, WeightZeroGetsNothing) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 0)});
  EXPECT_EQ(open_connections(8), (std::map<uint16_t, int>{{rest.slots[0], 8}}));
}

TEST_P(Schedule, ACycleLongerThanABlockIsWalkedWhole) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 50), real(32, 31)});
  EXPECT_EQ(open_connections(81), (std::map<uint16_t, int>{{rest.slots[0], 50}, {rest.slots[1], 31}}));
}

TEST_P(Schedule, VirtualServersHavePositionsOfTheirOwn) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31), real(32)});
  const auto other = virtual_server(vip_, 9827, kTcp, {real(33), real(34)});
  for (uint16_t i = 0; i < 4; i++) {
    clear_connections();
    EXPECT_EQ(slot_of(run(tcp(i + 1, 9826, kSyn))), rest.slots[i % 2]);
    EXPECT_EQ(slot_of(run(tcp(i + 1, 9827, kSyn))), other.slots[i % 2]);
  }
}

TEST_P(Schedule, TheHashIsStableAndDoesNotDependOnTheTablesSeed) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});
  std::set<uint16_t> used;
  for (uint16_t port = 1; port <= 64; port++) {
    std::set<uint16_t> chosen;
    for (const uint64_t seed : {1ULL, 0xfeedfacecafebeefULL}) {
      settings().hash_seed = seed;
      clear_connections();
      chosen.insert(slot_of(run(tcp(port, 9826, kAck))));
    }
    EXPECT_EQ(chosen.size(), 1U);
    used.insert(*chosen.begin());
  }
  EXPECT_EQ(used, (std::set<uint16_t>{rest.slots.begin(), rest.slots.end()}));
}

TEST_P(Schedule, TheHashDoesNotDependOnIndicesAndSlots) {
  const auto first = virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});
  std::vector<base::Mac> before, after;
  const auto hash_all = [&](std::vector<base::Mac>& macs) {
    for (uint16_t port = 1; port <= 32; port++) {
      clear_connections();
      macs.push_back(base::Mac::from_bytes(run(tcp(port, 9826, kAck)).bytes.data()));
    }
  };
  hash_all(before);
  remove_service(first);
  virtual_server(vip_, 1, kTcp, {real(31)});
  virtual_server(vip_, 9826, kTcp, {real(31), real(32), real(33)});  // with other slots, elsewhere
  hash_all(after);
  EXPECT_EQ(before, after);
}

TEST_P(Schedule, TheHashFollowsTheWeights) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {real(31, 1), real(32, 3)});
  std::map<uint16_t, int> per_slot;
  for (uint16_t port = 1; port <= 1000; port++) {
    clear_connections();
    per_slot[slot_of(run(tcp(port, 9826, kAck)))]++;
  }
  EXPECT_NEAR(per_slot[rest.slots[1]], 750, 75);
}

// --- what each scheduler chooses from ---

// A virtual server whose two schedules can be told apart: the cycle has real servers 31 to 33, the Maglev table 34
// to 36.
class Scheduler : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    web_ = make(80, kTcp);
    dns_ = make(53, kUdp);
  }
  VirtualServer make(uint16_t port, uint8_t protocol) {
    const auto server =
        virtual_server(vip_, port, protocol, {real(31), real(32), real(33), real(34), real(35), real(36)});
    const std::vector<uint16_t>& s = server.slots;
    schedule(server, {s[0], s[1], s[2]});
    maglev(server, {s[3], s[4], s[5]});
    return server;
  }
  void by(xd_scheduler scheduler, uint8_t flags = 0) {
    for (const VirtualServer& server : {web_, dns_}) {
      entry(server).scheduler = scheduler;
      entry(server).flags = XD_USED | flags;
    }
  }
  // Which it chooses for a packet that nothing is known of, by clients of these numbers, each from these ports.
  std::set<uint16_t> chosen(uint8_t flags, int clients, int ports) {
    std::set<uint16_t> slots;
    for (int client = 1; client <= clients; client++) {
      for (int port = 1; port <= ports; port++) {
        clear_connections();
        slots.insert(slot_of(run(tcp(static_cast<uint16_t>(port), 80, flags, host(client, 10)))));
      }
    }
    return slots;
  }
  std::set<uint16_t> slots(size_t first, size_t last) const {
    return {web_.slots.begin() + static_cast<int>(first), web_.slots.begin() + static_cast<int>(last) + 1};
  }

  VirtualServer web_, dns_;
};

INSTANTIATE_TEST_SUITE_P(Both, Scheduler, kBothFamilies, family_name);

TEST_P(Scheduler, ByTurnNewConnectionsTakeTheCycleAndUnknownOnesTheMaglevTable) {
  EXPECT_EQ(chosen(kSyn, 1, 3), slots(0, 2));
  EXPECT_EQ(chosen(kAck, 1, 64), slots(3, 5));
}

TEST_P(Scheduler, ByCycleAClientsConnectionsGoWhereItsAddressSays) {
  by(XD_BY_CYCLE);
  EXPECT_EQ(chosen(kSyn, 64, 1), slots(0, 2));
  EXPECT_EQ(chosen(kSyn, 1, 64).size(), 1U);
  EXPECT_EQ(chosen(kAck, 1, 64), chosen(kSyn, 1, 1)) << "so the next MASTER finds it, too";
}

TEST_P(Scheduler, ByMaglevLikewiseFromItsTable) {
  by(XD_BY_MAGLEV);
  EXPECT_EQ(chosen(kSyn, 64, 1), slots(3, 5));
  EXPECT_EQ(chosen(kSyn, 1, 64).size(), 1U);
  EXPECT_EQ(chosen(kAck, 1, 64), chosen(kSyn, 1, 1));
}

TEST_P(Scheduler, WithThePortAClientsConnectionsAreSpread) {
  by(XD_BY_CYCLE, XD_HASH_PORT);
  EXPECT_EQ(chosen(kSyn, 1, 64), slots(0, 2));
  by(XD_BY_MAGLEV, XD_HASH_PORT);
  EXPECT_EQ(chosen(kSyn, 1, 64), slots(3, 5));
  EXPECT_EQ(chosen(kSyn, 1, 1), chosen(kAck, 1, 1)) << "each stays where it is";
}

TEST_P(Scheduler, AnotherSchedulerLosesNoConnection) {
  std::map<uint16_t, uint16_t> before;
  for (uint16_t port = 1; port <= 6; port++) before[port] = slot_of(run(tcp(port, 80, kSyn)));
  for (const xd_scheduler scheduler : {XD_BY_MAGLEV, XD_BY_CYCLE, XD_BY_TURN}) {
    by(scheduler, XD_HASH_PORT);
    schedule(web_, {web_.slots[5]});
    for (const auto& [port, slot] : before) {
      const Result sent = run(tcp(port, 80, kAck));
      EXPECT_EQ(sent.verdict, verdict_forwarded);
      EXPECT_EQ(slot_of(sent), slot);
    }
  }
}

TEST_P(Scheduler, OfOnePacketNothingIsRemembered) {
  by(XD_BY_TURN, XD_ONE_PACKET);
  std::vector<uint16_t> given;
  for (int i = 0; i < 6; i++) {
    const Result sent = run(udp(5353, 53));
    EXPECT_EQ(sent.verdict, verdict_scheduled);
    given.push_back(slot_of(sent));
  }
  const std::vector<uint16_t>& s = web_.slots;  // slot_of() tells machines apart, and they are the same
  EXPECT_THAT(given, testing::ElementsAre(s[0], s[1], s[2], s[0], s[1], s[2]));
  EXPECT_THAT(connections(), testing::IsEmpty());
}

TEST_P(Scheduler, OfOnePacketAHashChoosesTheSameEachTime) {
  by(XD_BY_MAGLEV, XD_ONE_PACKET);
  const uint16_t slot = slot_of(run(udp(5353, 53)));
  EXPECT_NE(slot, 0);
  for (int i = 0; i < 6; i++) EXPECT_EQ(slot_of(run(udp(static_cast<uint16_t>(i + 1), 53))), slot);
  EXPECT_THAT(connections(), testing::IsEmpty());
}

TEST_P(Scheduler, PersistenceComesBeforeTheScheduler) {
  by(XD_BY_MAGLEV, XD_HASH_PORT);
  persist(web_, 100);
  EXPECT_EQ(chosen(kSyn, 1, 64).size(), 1U) << "the template that the first one has made";
}

}  // namespace test
