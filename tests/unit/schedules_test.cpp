// SPDX-License-Identifier: Apache-2.0
// Which schedules each scheduler has, what of them is kept, and how lc and wlc follow the connections.
#include "model/schedules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/least_connections.hpp"
#include "model/maglev.hpp"

namespace model {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

base::Ip address_of(int number) {
  return base::Ipv4::from_host(0x0a000000 + static_cast<uint32_t>(number));
}

// Real server 10.0.0.NUMBER, which is known to the kernel.
RealServer real(int number, uint16_t weight = 1) {
  return {.address = address_of(number), .port = 80, .weight = weight};
}

VirtualServer virtual_server(Scheduler scheduler, std::vector<RealServer> servers) {
  VirtualServer server{.name = "web", .key = {.address = address_of(100), .port = 80}, .scheduler = scheduler};
  server.real_servers = std::move(servers);
  return server;
}

class SchedulesTest : public testing::Test {
 protected:
  SchedulesTest() {
    around_.tick = std::chrono::seconds(1);
    for (int i = 1; i < 100; ++i) around_.next_hops[address_of(i)] = {3, {}, base::Mac()};
  }

  const VirtualServerEntry& apply(const VirtualServer& server) {
    config_ = Config{.virtual_servers = {server}};
    const base::Result<Tables> made = desired_tables(config_, around_, tables_);
    EXPECT_TRUE(made) << made.error().message;
    tables_ = *made;
    return tables_.virtual_servers.at(0);
  }
  const VirtualServerEntry& apply(Scheduler scheduler, std::vector<RealServer> servers) {
    return apply(virtual_server(scheduler, std::move(servers)));
  }
  void goes_down(int number) {
    around_.down.insert({config_.virtual_servers[0].key, {address_of(number), 80}});
    apply(config_.virtual_servers[0]);
  }
  static std::ptrdiff_t turns(const std::vector<Slot>& schedule, Slot slot) {
    return std::ranges::count(schedule, slot);
  }

  Cycles rebalance(const std::vector<ConnectionCounts>& connections, uint64_t arrivals = 0) const {
    return rebalanced(config_, tables_, connections, [=](Index) { return arrivals; });
  }

  Config config_;
  Surroundings around_;
  Tables tables_;
};

}  // namespace

TEST_F(SchedulesTest, RrTakesTurnsWhateverTheWeights) {
  const VirtualServerEntry& entry = apply(Scheduler::rr, {real(1, 5), real(2), real(3, 0)});
  EXPECT_EQ(entry.scheduler, XD_BY_TURN);
  EXPECT_THAT(entry.cycle, ElementsAre(1, 2));
  EXPECT_NEAR(turns(entry.maglev, 1), 251 / 2, 1) << "the consistent hash ignores them, too";
}

TEST_F(SchedulesTest, WrrShAndMhFollowTheWeights) {
  for (const auto& [scheduler, by] : {std::pair(Scheduler::wrr, XD_BY_TURN), std::pair(Scheduler::sh, XD_BY_CYCLE),
                                      std::pair(Scheduler::mh, XD_BY_MAGLEV)}) {
    const VirtualServerEntry& entry = apply(scheduler, {real(1, 3), real(2)});
    EXPECT_EQ(entry.scheduler, by);
    EXPECT_EQ(turns(entry.cycle, 1), 3 * turns(entry.cycle, 2));
    EXPECT_NEAR(turns(entry.maglev, 1), 251 * 3 / 4, 1);
  }
}

TEST_F(SchedulesTest, OptionsReachTheTables) {
  VirtualServer server = virtual_server(Scheduler::mh, {real(1)});
  EXPECT_FALSE(apply(server).hash_port);
  server.hash_port = server.one_packet = true;
  EXPECT_TRUE(apply(server).hash_port);
  EXPECT_TRUE(apply(server).one_packet);
}

TEST_F(SchedulesTest, AnotherSchedulerHasItsOwnCycleAndTheSlotsStay) {
  apply(Scheduler::rr, {real(1, 3), real(2)});
  const std::map<Member, Slot> slots = slots_by_member(tables_);
  EXPECT_EQ(apply(Scheduler::wrr, {real(1, 3), real(2)}).cycle.size(), 4u);
  EXPECT_EQ(apply(Scheduler::wlc, {real(1, 3), real(2)}).cycle.size(), 4u) << "until connections have been counted";
  EXPECT_EQ(apply(Scheduler::rr, {real(1, 3), real(2)}).cycle.size(), 2u);
  EXPECT_EQ(slots_by_member(tables_), slots);
}

TEST_F(SchedulesTest, AMaglevTableIsMadeAnewOnlyForOtherRealServers) {
  apply(Scheduler::wrr, {real(1), real(2)});
  std::vector<Slot>& maglev = tables_.virtual_servers.at(0).maglev;
  const std::vector<Slot> made = maglev;
  maglev[7] = 99;
  EXPECT_EQ(apply(Scheduler::sh, {real(2), real(1)}).maglev[7], 99) << "kept";
  EXPECT_NE(apply(Scheduler::sh, {real(2), real(1, 2)}).maglev[7], 99);
  EXPECT_EQ(apply(Scheduler::sh, {real(1), real(2)}).maglev, made);
}

TEST_F(SchedulesTest, AMaglevTableHasTheSameLengthWhoeverIsDown) {
  std::vector<RealServer> servers;
  for (int i = 1; i <= 13; ++i) servers.push_back(real(i));
  EXPECT_EQ(apply(Scheduler::mh, servers).maglev.size(), 577u);
  for (int i = 1; i <= 12; ++i) goes_down(i);
  EXPECT_EQ(tables_.virtual_servers.at(0).maglev, std::vector<Slot>(577, 13));
  goes_down(13);
  EXPECT_THAT(tables_.virtual_servers.at(0).maglev, IsEmpty());
}

TEST_F(SchedulesTest, LeastConnectionsFollowTheCounts) {
  apply(Scheduler::wlc, {real(1), real(2, 2)});
  const Cycles cycles = rebalance({{}, {.active = 10}, {.active = 10}}, 20);
  ASSERT_EQ(cycles.size(), 1u);
  const std::vector<Slot>& cycle = cycles.at(0);
  EXPECT_EQ(cycle.size(), kShortestLeastConnections);
  EXPECT_EQ(turns(cycle, 1), 18) << "28 beside 56";
  EXPECT_THAT(std::vector(cycle.begin(), cycle.begin() + 10), Each(2));
  EXPECT_EQ(rebalance({}, 1000).at(0).size(), 2000u);
}

TEST_F(SchedulesTest, LcIgnoresTheWeights) {
  apply(Scheduler::lc, {real(1), real(2, 2)});
  EXPECT_EQ(turns(rebalance({{}, {.active = 10}, {.active = 10}}).at(0), 1), 32);
}

TEST_F(SchedulesTest, NothingIsRebalancedWhenNothingChangesOrNobodyAsksForIt) {
  apply(Scheduler::lc, {real(1), real(2)});
  for (const auto& [index, cycle] : rebalance({})) tables_.virtual_servers.at(index).cycle = cycle;
  EXPECT_THAT(rebalance({}), IsEmpty());
  EXPECT_THAT(rebalance({{}, {.active = 5}, {.active = 5}}), IsEmpty());
  EXPECT_EQ(rebalance({{}, {.active = 5}, {.active = 4}}).size(), 1u);
  apply(Scheduler::wrr, {real(1), real(2)});
  EXPECT_THAT(rebalance({{}, {.active = 5}, {.active = 4}}), IsEmpty());
}

TEST_F(SchedulesTest, ACycleByConnectionsStaysUntilTheyAreCountedAnewOrARealServerGoes) {
  apply(Scheduler::lc, {real(1), real(2)});
  tables_.virtual_servers.at(0).cycle = {2, 2, 1};
  EXPECT_THAT(apply(Scheduler::lc, {real(1), real(2)}).cycle, ElementsAre(2, 2, 1));
  goes_down(2);
  EXPECT_THAT(tables_.virtual_servers.at(0).cycle, Each(1));
}

TEST_F(SchedulesTest, WhoeverComesBackIsGivenWhatTheOthersHaveAndNoMore) {
  around_.connections = {{}, {.active = 30}, {.active = 0}};
  const VirtualServerEntry& entry = apply(Scheduler::lc, {real(1), real(2)});
  ASSERT_EQ(entry.cycle.size(), kLongestLeastConnections) << "long enough not to begin again before it is made anew";
  EXPECT_THAT(std::vector(entry.cycle.begin(), entry.cycle.begin() + 30), Each(2));
  EXPECT_EQ(turns(entry.cycle, 2) - turns(entry.cycle, 1), 30);
}

TEST_F(SchedulesTest, TheSpaceThatIsNeededCountsBothSchedules) {
  config_.virtual_servers = {virtual_server(Scheduler::wrr, {real(1, 2), real(2, 2)})};
  EXPECT_EQ(schedule_slots(config_), 251u + 2);
  config_.virtual_servers = {virtual_server(Scheduler::wlc, {real(1), real(2, 12)})};
  EXPECT_EQ(schedule_slots(config_), 577u + kLongestLeastConnections);
}

}  // namespace model
