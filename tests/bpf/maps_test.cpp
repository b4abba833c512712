// SPDX-License-Identifier: Apache-2.0
// The tables in real maps: what is written can be read back, a change writes the difference, an error leaves no trace;
// and the sweep over the connection table.
#include "dataplane/maps.hpp"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xdirector.skel.h>

#include <memory>

#include "dataplane/connections.hpp"

namespace dataplane {
namespace {

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

constexpr uint32_t kBuckets = 8;

// A program of its own, not pinned, not attached.
class MapsTest : public testing::Test {
 protected:
  MapsTest() : program_(xdirector::open(), xdirector::destroy) {
    bpf_map__set_max_entries(program_->maps.connections, kBuckets);
    EXPECT_EQ(xdirector::load(program_.get()), 0);
    base::Result<Maps> opened = Maps::open(*program_);
    EXPECT_TRUE(opened) << opened.error().message;
    maps_.emplace(std::move(*opened));
  }

  void change(const model::Tables& from, const model::Tables& to) {
    const base::Result<> done = maps_->change(from, to);
    ASSERT_TRUE(done) << done.error().message;
  }

  // An exact virtual server and one of a mark, with one real server each, on a VRRP address.
  static model::Tables example() {
    const model::VirtualServerKey rest{.address = ip("192.168.100.111"), .port = 9826};
    const model::VirtualServerKey ftp{.mark = 300, .protocol = model::Protocol::udp};
    const model::NextHop hop{3, *base::Mac::parse("02:00:00:00:00:44"), base::Mac::parse("02:00:00:00:00:34")};
    model::Tables tables;
    tables.interfaces = {{3, *base::Mac::parse("02:00:00:00:00:44")}, {3 + XD_INTERFACES, base::Mac()}};
    tables.services = {{rest, 0}, {ftp, 7}};
    tables.port_marks[{ip("192.168.100.111"), model::Protocol::udp}] = {{8000, 9000, 300}, {9814, 9814, 300}};
    tables.virtual_servers[0] = {rest, 0, 32, std::vector<model::Slot>(100, 1)};
    tables.virtual_servers[7] = {ftp, 901, 24, {9}};
    tables.real_servers[1] = {.virtual_server = 0,
                              .key = {ip("192.168.100.34"), 9826},
                              .weight = 5,
                              .state = XD_ACTIVE,
                              .next_hop = hop,
                              .virtual_address = ip("192.168.100.111"),
                              .virtual_port = 9826,
                              .timeout_ticks = {1, 2, 3, 4}};
    tables.real_servers[9] = {.virtual_server = 7,
                              .key = {ip("192.168.100.35"), 9814},
                              .weight = 0,
                              .state = XD_DRAINING,
                              .next_hop = {3, base::Mac(), std::nullopt},
                              .protocol = model::Protocol::udp,
                              .persistent = true};
    tables.leases[ip("192.168.100.111")] = {2, 3};
    return tables;
  }

  std::unique_ptr<xdirector, decltype(&xdirector::destroy)> program_;
  std::optional<Maps> maps_;
};

}  // namespace

TEST_F(MapsTest, WhatIsWrittenCanBeReadBack) {
  change({}, example());
  EXPECT_EQ(maps_->read(), example()) << "a daemon that starts anew has no other memory";
}

TEST_F(MapsTest, WhatIsTakenAwayIsGone) {
  change({}, example());
  change(example(), {});
  EXPECT_EQ(maps_->read(), model::Tables{});
}

TEST_F(MapsTest, AChangeMovesACycleAndKeepsThePosition) {
  change({}, example());
  model::Tables longer = example();
  longer.virtual_servers[0].cycle.push_back(1);
  change(example(), longer);
  EXPECT_EQ(maps_->read(), longer);
}

TEST_F(MapsTest, AnErrorLeavesEverythingAsItWas) {
  change({}, example());
  model::Tables too_many = example();
  too_many.real_servers[1].weight = 6;
  for (uint16_t port = 0; port <= XD_MAX_SERVICES; ++port) {
    too_many.services[{.address = ip("192.168.100.112"), .port = port}] = 0;
  }
  EXPECT_FALSE(maps_->change(example(), too_many));
  EXPECT_EQ(maps_->read(), example());
}

TEST_F(MapsTest, ANewLeaseIsFencedAndAKnownOneGoesOn) {
  change({}, example());
  EXPECT_EQ(maps_->lease_until(2).ns, 0);
  auto mapped = MappedArray<xd_lease>::map(bpf_map__fd(program_->maps.leases), XD_MAX_LEASES);
  (*mapped)[2].until = 12345;  // as the vrrp worker does
  model::Tables moved = example();
  moved.leases[ip("192.168.100.111")].ifindex = 4;
  change(example(), moved);
  EXPECT_EQ(maps_->lease_until(2).ns, 12345);
}

// --- the sweep ---

class SweepTest : public MapsTest {
 protected:
  SweepTest() {
    change({}, example());
    sweep_.emplace(maps_->buckets(), maps_->real_servers());
  }

  xd_way& put(uint32_t bucket, uint32_t way, xd_connection_state state, uint32_t tick, uint16_t slot = 1) {
    xd_way& place = maps_->buckets()[bucket].way[way];
    place.client = ip("192.168.100.31").network();
    place.client_port = 40000;
    place.slot = slot;
    place.state = state;
    place.tick = tick;
    return place;
  }

  std::optional<Sweep> sweep_;
};

TEST_F(SweepTest, CountsActiveAndInactiveConnectionsOfEachSlot) {
  put(0, 0, XD_YOUNG, 0);
  put(0, 3, XD_PROVEN, 0);
  put(7, 0, XD_OPENING, 0);
  put(7, 1, XD_CLOSING, 0);
  EXPECT_FALSE(sweep_->step(kBuckets - 1, 0));
  EXPECT_EQ(sweep_->counts()[1].active, 0u) << "a pass that has not ended says nothing";
  EXPECT_TRUE(sweep_->step(kBuckets, 0));
  EXPECT_EQ(sweep_->counts()[1].active, 2u);
  EXPECT_EQ(sweep_->counts()[1].inactive, 2u);
}

TEST_F(SweepTest, FreesWhatHasExpiredByTheTimeoutOfItsState) {
  const xd_way& opening = put(0, 0, XD_OPENING, 0);  // 1 tick
  const xd_way& proven = put(0, 1, XD_PROVEN, 0);    // 4 ticks
  sweep_->step(kBuckets, 1);
  EXPECT_NE(opening.w0, 0u);
  sweep_->step(kBuckets, 2);
  EXPECT_EQ(opening.w0, 0u);
  EXPECT_NE(proven.w0, 0u);
  sweep_->step(kBuckets, 5);
  EXPECT_EQ(proven.w0, 0u);
}

TEST_F(SweepTest, KnowsThatTicksWrap) {
  const xd_way& way = put(0, 0, XD_PROVEN, XD_TICKS - 1);
  sweep_->step(kBuckets, XD_TICKS + 3);
  EXPECT_NE(way.w0, 0u);
  sweep_->step(kBuckets, XD_TICKS + 4);
  EXPECT_EQ(way.w0, 0u);
}

TEST_F(SweepTest, AWaySeenInATickThatBeganDuringThePassIsNewNotOld) {
  const xd_way& way = put(0, 0, XD_PROVEN, 1);
  sweep_->step(kBuckets, 0);
  EXPECT_NE(way.w0, 0u) << "a busy connection would be lost now and again";
  EXPECT_EQ(sweep_->counts()[1].active, 1u);
}

TEST_F(SweepTest, FreesWhatNamesASlotThatIsNotInUse) {
  const xd_way& way = put(0, 0, XD_PROVEN, 0, 5);
  sweep_->step(kBuckets, 0);
  EXPECT_EQ(way.w0, 0u);
}

TEST_F(SweepTest, LeavesAWayAloneThatIsBeingWritten) {
  xd_way& way = put(0, 0, XD_PROVEN, 0);
  way.w0 = 1;
  sweep_->step(kBuckets, 100);
  EXPECT_EQ(way.w0, 1u);
}

}  // namespace dataplane
