// SPDX-License-Identifier: Apache-2.0
// The tables in real maps: what is written can be read back, a change writes the difference, an error leaves no trace.
#include "dataplane/maps.hpp"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xdirector.skel.h>

#include <memory>

#include "dataplane/encode.hpp"

namespace dataplane {
namespace {

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

constexpr uint32_t kBuckets = 8;

// A program of its own, not pinned, not attached.
class MapsTest : public testing::Test {
 protected:
  MapsTest() : program_(xdirector::open(), xdirector::destroy) {
    bpf_map__set_max_entries(program_->maps.connections, kBuckets);
    EXPECT_EQ(xdirector::load(program_.get()), 0);
    base::Result<Maps> opened = Maps::open(map_fds(*program_));
    EXPECT_TRUE(opened) << opened.error().message;
    maps_.emplace(std::move(*opened));
  }

  void change(const model::Tables& from, const model::Tables& to) {
    const base::Result<> done = maps_->change(from, to);
    ASSERT_TRUE(done) << done.error().message;
  }

  static base::Mac peer(uint8_t number) { return base::Mac({2, 0, 0, 0, 1, number}); }

  // The peers of an interface in the order in which the program reads them.
  std::vector<__u64> peers_in_map(uint32_t ifindex) const {
    const auto interfaces = *MappedArray<xd_interface>::map(bpf_map__fd(program_->maps.interfaces));
    const xd_interface& entry = interfaces[ifindex];
    return {entry.peer, entry.peer + entry.peers};
  }

  // An exact virtual server and one of a mark, with one real server each, on a VRRP address; in both families.
  static model::Tables example() {
    const model::VirtualServerKey rest{.address = ip("192.168.100.111"), .port = 9826};
    const model::VirtualServerKey ftp{.mark = 300, .protocol = model::Protocol::udp};
    const model::NextHop hop{3, *base::Mac::parse("02:00:00:00:00:44"), base::Mac::parse("02:00:00:00:00:34")};
    model::Tables tables;
    tables.interfaces[3] = {*base::Mac::parse("02:00:00:00:00:44"), {peer(1), peer(2)}};
    tables.interfaces[3 + XD_INTERFACES] = {};
    tables.services = {{rest, 0}, {ftp, 7}};
    tables.port_marks[{ip("192.168.100.111"), model::Protocol::udp}] = {{8000, 9000, 300}, {9814, 9814, 300}};
    tables.virtual_servers[0] = {rest, 0, 32, std::vector<model::Slot>(100, 1), {1, 1}, XD_BY_MAGLEV, true};
    tables.virtual_servers[7] = {ftp, 901, 24, {9}, {9, 9, 9}, XD_BY_CYCLE, false, true};
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
    tables.real_servers[11] = {.virtual_server = 7,
                               .key = {ip("192.168.100.36"), 9814},
                               .state = XD_ACTIVE,
                               .next_hop = {.local = true},
                               .protocol = model::Protocol::udp,
                               .persistent = true};
    tables.leases[ip("192.168.100.111")] = {2, 3, true};
    add_ipv6(tables);
    return tables;
  }

  // The same mark as IPv4 has: a family has its own.
  static void add_ipv6(model::Tables& tables) {
    const model::VirtualServerKey rest{.address = ip("fd00:100::111"), .port = 9826};
    const model::VirtualServerKey ftp{.mark = 300, .mark_v6 = true, .protocol = model::Protocol::udp};
    tables.services.insert({{rest, 1}, {ftp, 8}});
    tables.port_marks[{ip("fd00:100::111"), model::Protocol::udp}] = {{8000, 8000, 300}};
    tables.virtual_servers[1] = tables.virtual_servers[0];
    tables.virtual_servers[1].key = rest;
    tables.virtual_servers[8] = tables.virtual_servers[7];
    tables.virtual_servers[8].key = ftp;
    tables.virtual_servers[8].persistence_prefix = 64;
    tables.real_servers[2] = tables.real_servers[1];
    tables.real_servers[2].virtual_server = 1;
    tables.real_servers[2].key.address = ip("fd00:100::34");
    tables.real_servers[2].virtual_address = ip("fd00:100::111");
    tables.real_servers[10] = tables.real_servers[9];
    tables.real_servers[10].virtual_server = 8;
    tables.real_servers[10].key.address = ip("fd00:100::35");
    tables.leases[ip("fd00:100::111")] = {3, 3};
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

TEST_F(MapsTest, AChangeMovesACycle) {
  change({}, example());
  model::Tables longer = example();
  longer.virtual_servers[0].cycle.push_back(1);
  change(example(), longer);
  EXPECT_EQ(maps_->read(), longer);
}

TEST_F(MapsTest, ANewCycleBeginsAtItsStart) {
  change({}, example());
  auto mapped = MappedArray<xd_virtual_server>::map(bpf_map__fd(program_->maps.virtual_servers));
  for (const model::Index index : {0U, 7U}) (*mapped)[index].position = 5;  // as the program does
  ASSERT_TRUE(maps_->change_cycles({{0, {1, 1, 1}}}));
  model::Tables changed = example();
  changed.virtual_servers[0].cycle = {1, 1, 1};
  EXPECT_EQ(maps_->read(), changed);
  EXPECT_EQ(maps_->position(0), 0u);
  EXPECT_EQ(maps_->position(7), 5u) << "its cycle is as it was";
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
  auto mapped = MappedArray<xd_lease>::map(bpf_map__fd(program_->maps.leases));
  (*mapped)[2].until = 12345;  // as the vrrp worker does
  model::Tables moved = example();
  moved.leases[ip("192.168.100.111")].ifindex = 4;
  change(example(), moved);
  EXPECT_EQ(maps_->lease_until(2).ns, 12345);
}

TEST_F(MapsTest, APeerThatStaysKeepsItsPlace) {
  change({}, example());
  model::Tables other = example();
  other.interfaces[3].peers = {peer(0), peer(2), peer(3)};
  change(example(), other);
  EXPECT_EQ(peers_in_map(3)[1], encode_mac(peer(2))) << "a frame of it that comes meanwhile would be forwarded again";
  EXPECT_EQ(maps_->read(), other);
  other.interfaces[3].peers = {peer(3)};
  change(maps_->read(), other);
  EXPECT_EQ(maps_->read(), other);
}

TEST_F(MapsTest, ThereIsRoomForSoManyPeersAndNoMore) {
  model::Tables many = example();
  for (uint8_t i = 0; many.interfaces[3].peers.size() < XD_MAX_PEERS; ++i) many.interfaces[3].peers.insert(peer(i));
  change({}, many);
  EXPECT_EQ(maps_->read(), many);
  model::Tables too_many = many;
  too_many.interfaces[3].peers.insert(peer(99));
  EXPECT_FALSE(maps_->change(many, too_many));
  EXPECT_EQ(maps_->read(), many);
}

}  // namespace dataplane
