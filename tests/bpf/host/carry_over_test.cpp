// SPDX-License-Identifier: Apache-2.0
// A start on tables of another size, or of the layout before: everything that was under way goes on in the new ones.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "dataplane/dataplane.hpp"
#include "dataplane/entry_table.hpp"
#include "dataplane/layout1.hpp"
#include "dataplane/pinned_tables.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

using testing::HasSubstr;

constexpr uint32_t kBuckets = 256;
constexpr uint32_t kIndex = 78;
constexpr model::Slot kSlot4 = 3, kSlot6 = 9;
constexpr model::Index kVirtual4 = 2, kVirtual6 = 5;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

std::array<__u64, 2> words(const base::Ip& address) {
  std::array<__u64, 2> all{};
  std::memcpy(all.data(), address.bytes().data(), sizeof all);
  return all;
}

// A persistent virtual server of each family, with one real server, at indices that nobody would get by chance.
model::Tables example(bool with_ipv6) {
  model::Tables tables;
  auto add = [&](model::Index index, model::Slot slot, const base::Ip& vip, const base::Ip& real) {
    tables.virtual_servers[index] = {
        .key = {.address = vip, .port = 80}, .persistence_ticks = 900, .persistence_prefix = vip.bits()};
    tables.real_servers[slot] = {.virtual_server = index,
                                 .key = {real, 80},
                                 .weight = 1,
                                 .state = XD_ACTIVE,
                                 .virtual_address = vip,
                                 .virtual_port = 80,
                                 .persistent = true,
                                 .timeout_ticks = {100, 100, 100, 100}};
  };
  add(kVirtual4, kSlot4, ip("192.168.100.111"), ip("192.168.100.34"));
  if (with_ipv6) add(kVirtual6, kSlot6, ip("2001:db8::111"), ip("2001:db8::34"));
  tables.leases[ip("192.168.100.111")] = {4, kIndex};
  return tables;
}

// The connection of client number `i`, last seen now.
Entry connection4(const Dataplane& dataplane, uint32_t i, xd_connection_state state = XD_PROVEN) {
  xd_way way{};
  way.client = base::Ipv4::from_host(0x0a000000 + i).network();
  way.client_port = htons(40000);
  way.slot = kSlot4;
  way.address = ip("192.168.100.111").v4().network();
  way.port = htons(80);
  way.state = state;
  way.tick = *dataplane.current_tick() % XD_TICKS;
  Entry entry{.w0 = way.w0};
  entry.w1 = way.w1;
  return entry;
}

Entry connection6(const Dataplane& dataplane, uint32_t i) {
  const std::array<__u64, 2> vip = words(ip("2001:db8::111"));
  xd_way way{};
  way.client = i | 1;  // a fold, whatever it is
  way.client_port = htons(40000);
  way.slot = kSlot6;
  way.address = 0x12340000;
  way.port = htons(80);
  way.state = XD_YOUNG;
  way.tick = *dataplane.current_tick() % XD_TICKS;
  Entry entry{.w0 = way.w0};
  entry.w1 = way.w1;
  entry.beside = {i, ~i, vip[0], vip[1]};
  return entry;
}

Entry template4(const Dataplane& dataplane, uint32_t i) {
  xd_template way{};
  way.client = base::Ipv4::from_host(0x0a000000 + i).network();
  way.virtual_server = kVirtual4 + 1;
  way.slot = kSlot4;
  way.seen_tick = *dataplane.current_tick();
  way.proven = 1;
  Entry entry{.w0 = way.w0};
  entry.w1 = way.w1;
  return entry;
}

uint64_t seed() {
  const auto settings = pins::open("settings");
  const uint32_t key = 0;
  xd_settings values{};
  EXPECT_EQ(bpf_map_lookup_elem(settings->get(), &key, &values), 0);
  return values.hash_seed;
}

template <typename Bucket>
EntryTable<Bucket> table(std::span<Bucket> buckets) {
  return EntryTable<Bucket>(buckets, seed());
}

TableSizes sizes(uint32_t buckets) {
  return {.connections = buckets, .connections6 = buckets, .templates = buckets};
}

class CarryOverTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(std::system("ip link add eth0 index 78 type veth peer name eth1"), 0); }
  void TearDown() override {
    detach_all();
    ASSERT_EQ(std::system("ip link delete eth0"), 0);
  }

  static Dataplane open(const TableSizes& wanted) {
    base::Result<Dataplane> opened = Dataplane::open(wanted);
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }

  static void keep(Dataplane& dataplane) {
    const base::Result<> kept = dataplane.keep();
    ASSERT_TRUE(kept) << kept.error().message;
  }

  static void attach(Dataplane& dataplane) {
    const auto attached = dataplane.attach_to({kIndex, "eth0", 1500}, Mode::generic);
    ASSERT_TRUE(attached) << attached.error().message;
  }
};

class ResizeTest : public CarryOverTest, public testing::WithParamInterface<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Buckets, ResizeTest, testing::Values(kBuckets, 4 * kBuckets));

}  // namespace

TEST_P(ResizeTest, WhatWasUnderWayGoesOn) {
  constexpr uint32_t kFlows = 300;
  const model::Tables tables = example(true);
  {
    Dataplane dataplane = open(sizes(2 * kBuckets));
    ASSERT_TRUE(dataplane.apply(tables));
    attach(dataplane);
    keep(dataplane);
    for (uint32_t i = 0; i < kFlows; ++i) {
      ASSERT_TRUE(table(dataplane.maps().buckets()).insert(connection4(dataplane, i)));
      ASSERT_TRUE(table(dataplane.maps().buckets6()).insert(connection6(dataplane, i * 2)));
      ASSERT_TRUE(table(dataplane.maps().template_buckets()).insert(template4(dataplane, i)));
    }
    dataplane.maps().set_position(kVirtual4, 12345);
    dataplane.maps().set_lease_until(4, base::Time{77});
    dataplane.maps().set_stats(kSlot6, {.packets = 5, .bytes = 6, .connections = 7});
    dataplane.maps().set_counters({.forwarded = 8});
  }
  Dataplane dataplane = open(sizes(GetParam()));
  EXPECT_THAT(dataplane.found(), HasSubstr("carrying over"));
  EXPECT_EQ(dataplane.tables(), tables) << "every index stays with its owner";
  attach(dataplane);
  for (uint32_t i = 0; i < kFlows; ++i) {
    EXPECT_TRUE(table(dataplane.maps().buckets()).find(connection4(dataplane, i))) << i;
    EXPECT_TRUE(table(dataplane.maps().buckets6()).find(connection6(dataplane, i * 2))) << i;
    EXPECT_TRUE(table(dataplane.maps().template_buckets()).find(template4(dataplane, i))) << i;
  }
  EXPECT_EQ(dataplane.maps().position(kVirtual4), 12345u);
  EXPECT_EQ(dataplane.maps().lease_until(4).ns, 77);
  EXPECT_EQ(dataplane.maps().stats(kSlot6).connections, 7u);
  EXPECT_EQ(dataplane.maps().counters().forwarded, 8u);
  keep(dataplane);
  EXPECT_THAT(open(sizes(GetParam())).found(), HasSubstr("took over")) << "they are what the next run finds";
}

TEST_F(CarryOverTest, WhatIsOpenedUntilTheSwitchIsNotLost) {
  Dataplane before = open(sizes(kBuckets));
  ASSERT_TRUE(before.apply(example(true)));
  attach(before);
  keep(before);
  ASSERT_TRUE(table(before.maps().buckets()).insert(connection4(before, 1, XD_OPENING)));
  Dataplane after = open(sizes(2 * kBuckets));
  attach(after);
  const auto early = table(before.maps().buckets()).find(connection4(before, 1));
  ASSERT_TRUE(early);
  table(before.maps().buckets()).replace(*early, connection4(before, 1, XD_YOUNG));
  ASSERT_TRUE(table(before.maps().buckets()).insert(connection4(before, 2)));
  ASSERT_TRUE(table(before.maps().buckets6()).insert(connection6(before, 2)));
  keep(after);
  const auto grown = table(after.maps().buckets()).find(connection4(after, 1));
  ASSERT_TRUE(grown);
  EXPECT_EQ(connection_of(grown->entry).state, unsigned{XD_YOUNG});
  EXPECT_TRUE(table(after.maps().buckets()).find(connection4(after, 2)));
  EXPECT_TRUE(table(after.maps().buckets6()).find(connection6(after, 2)));
}

TEST_F(CarryOverTest, WhatHasRunOutStaysBehind) {
  {
    Dataplane dataplane = open(sizes(kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    Entry old = connection4(dataplane, 1);
    xd_way way = connection_of(old);
    way.tick = (way.tick + XD_TICKS - 101) % XD_TICKS;
    old.w1 = way.w1;
    ASSERT_TRUE(table(dataplane.maps().buckets()).insert(old));
  }
  Dataplane dataplane = open(sizes(2 * kBuckets));
  keep(dataplane);
  EXPECT_FALSE(table(dataplane.maps().buckets()).find(connection4(dataplane, 1)));
}

TEST_F(CarryOverTest, WhereThereIsNotRoomForAllTheEstablishedOnesStay) {
  constexpr uint32_t kFlows = kBuckets * XD_WAYS * 3 / 2, kEveryProven = 6;
  {
    Dataplane dataplane = open(sizes(32 * kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    for (uint32_t i = 0; i < kFlows; ++i) {
      const xd_connection_state state = i % kEveryProven == 0 ? XD_PROVEN : XD_OPENING;
      ASSERT_TRUE(table(dataplane.maps().buckets()).insert(connection4(dataplane, i, state)));
    }
  }
  Dataplane dataplane = open(sizes(kBuckets));
  keep(dataplane);
  for (uint32_t i = 0; i < kFlows; i += kEveryProven) {
    EXPECT_TRUE(table(dataplane.maps().buckets()).find(connection4(dataplane, i))) << i;
  }
}

TEST_F(CarryOverTest, UntilItIsKeptTheNextRunFindsWhatThisOneFound) {
  {
    Dataplane dataplane = open(sizes(kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    ASSERT_TRUE(table(dataplane.maps().buckets()).insert(connection4(dataplane, 1)));
  }
  {
    Dataplane killed = open(sizes(2 * kBuckets));
  }
  Dataplane dataplane = open(sizes(kBuckets));
  EXPECT_THAT(dataplane.found(), HasSubstr("took over"));
  EXPECT_TRUE(table(dataplane.maps().buckets()).find(connection4(dataplane, 1)));
}

TEST_F(CarryOverTest, AReplacementThatWasInterruptedIsCompletedByTheNextRun) {
  {
    Dataplane dataplane = open(sizes(kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    ASSERT_TRUE(table(dataplane.maps().buckets()).insert(connection4(dataplane, 1)));
  }
  // One pin cannot be replaced: as if the run had been killed just there.
  const std::string in_the_way = pins::path("counters");
  pins::unpin("counters");
  ASSERT_EQ(mkdir(in_the_way.c_str(), 0700), 0);
  {
    Dataplane dataplane = open(sizes(2 * kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    EXPECT_FALSE(dataplane.keep());
  }
  ASSERT_EQ(rmdir(in_the_way.c_str()), 0);
  Dataplane dataplane = open(sizes(2 * kBuckets));
  EXPECT_THAT(dataplane.found(), HasSubstr("took over"));
  EXPECT_EQ(dataplane.tables(), example(true)) << "not those of two runs side by side";
}

TEST_F(CarryOverTest, PinsThatWereBegunAndNotFinishedAreCleared) {
  {
    Dataplane dataplane = open(sizes(kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    const base::Result<base::Fd> any = pins::open("leases");
    ASSERT_TRUE(pins::pin(any->get(), "next_leases"));
  }
  Dataplane dataplane = open(sizes(kBuckets));
  EXPECT_EQ(dataplane.tables(), example(true));
  EXPECT_NE(access(pins::path("next_leases").c_str(), F_OK), 0);
}

// --- the layout before ---

namespace {

// What a run of the version before would have left.
class Layout1Test : public CarryOverTest {
 protected:
  base::Fd make(const char* name, bpf_map_type type, uint32_t key, size_t value, uint32_t entries, uint32_t flags = 0) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    base::Fd map(bpf_map_create(type, name, key, static_cast<uint32_t>(value), entries, &options));
    EXPECT_TRUE(map) << name << ": " << strerror(errno);
    EXPECT_TRUE(pins::pin(map.get(), name)) << name;
    return map;
  }

  base::Fd array(const char* name, size_t value, uint32_t entries) {
    return make(name, BPF_MAP_TYPE_ARRAY, 4, value, entries, BPF_F_MMAPABLE);
  }

  void SetUp() override {
    CarryOverTest::SetUp();
    ASSERT_TRUE(pins::prepare());
    const base::Fd settings = array("settings", sizeof(layout1::Settings), 1);
    const base::Fd virtual_servers = array("virtual_servers", sizeof(layout1::VirtualServer), XD_MAX_VIRTUAL_SERVERS);
    const base::Fd real_servers = array("real_servers", sizeof(layout1::RealServer), XD_MAX_REAL_SERVERS);
    const base::Fd leases = array("leases", sizeof(layout1::Lease), XD_MAX_LEASES);
    connections_ = array("connections", sizeof(xd_bucket), kBuckets);
    persistence_ = make("persistence", BPF_MAP_TYPE_LRU_HASH, sizeof(layout1::Client), sizeof(layout1::Template), 1024);
    const base::Fd counters = make("counters", BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(layout1::Counters), 1);
    const base::Fd stats =
        make("real_server_stats", BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(xd_real_server_stats), XD_MAX_REAL_SERVERS);

    const uint32_t zero = 0, lease_index = 4, virtual_index = kVirtual4, slot = kSlot4;
    const layout1::Settings its_settings{
        .hash_seed = 4711, .layout = 1, .buckets = kBuckets, .tick_shift = 8, .tick_ns = 1'024'000'000};
    bpf_map_update_elem(settings.get(), &zero, &its_settings, BPF_ANY);
    layout1::VirtualServer virtual_server{};
    virtual_server.key.address = ip("192.168.100.111").v4().network();
    virtual_server.key.port = htons(80);
    virtual_server.key.protocol = IPPROTO_TCP;
    virtual_server.position = 12345;
    virtual_server.persistence_ticks = 900;
    virtual_server.persistence_mask = 0xffffffff;
    virtual_server.used = 1;
    bpf_map_update_elem(virtual_servers.get(), &virtual_index, &virtual_server, BPF_ANY);
    layout1::RealServer real_server{};
    real_server.state = XD_ACTIVE;
    real_server.virtual_server = kVirtual4;
    real_server.virtual_address = virtual_server.key.address;
    real_server.virtual_port = htons(80);
    real_server.protocol = IPPROTO_TCP;
    real_server.persistent = 1;
    std::fill_n(real_server.timeout_ticks, 4, 100);
    real_server.address = ip("192.168.100.34").v4().network();
    real_server.port = htons(80);
    real_server.weight = 1;
    bpf_map_update_elem(real_servers.get(), &slot, &real_server, BPF_ANY);
    const layout1::Lease lease{.address = virtual_server.key.address, .ifindex = kIndex, .until = 77};
    bpf_map_update_elem(leases.get(), &lease_index, &lease, BPF_ANY);
    PerCpuCounters<layout1::Counters>(counters.get()).set(0, {.forwarded = 8, .dropped_bad_table = 1});
    PerCpuCounters<xd_real_server_stats>(stats.get()).set(kSlot4, {.packets = 5, .bytes = 6, .connections = 7});
  }

  base::Fd connections_, persistence_;
};

}  // namespace

TEST_F(Layout1Test, WhatWasUnderWayGoesOn) {
  constexpr uint32_t kFlows = 300;
  Dataplane dataplane = open(sizes(2 * kBuckets));
  EXPECT_THAT(dataplane.found(), HasSubstr("layout 1"));
  EXPECT_EQ(dataplane.tables(), example(false));
  {
    auto old = MappedArray<xd_bucket>::map(connections_.get());
    ASSERT_TRUE(old);
    for (uint32_t i = 0; i < kFlows; ++i) {
      const Entry entry = connection4(dataplane, i);
      (*old)[i / XD_WAYS].way[i % XD_WAYS] = {.w0 = entry.w0, .w1 = entry.w1};
      const layout1::Client client{.address = base::Ipv4::from_host(0x0a000000 + i).network(),
                                   .virtual_server = kVirtual4};
      const layout1::Template value{.slot = kSlot4, .proven = 1, .seen_tick = *dataplane.current_tick()};
      ASSERT_EQ(bpf_map_update_elem(persistence_.get(), &client, &value, BPF_ANY), 0);
    }
  }
  attach(dataplane);
  keep(dataplane);
  for (uint32_t i = 0; i < kFlows; ++i) {
    EXPECT_TRUE(table(dataplane.maps().buckets()).find(connection4(dataplane, i))) << i;
    EXPECT_TRUE(table(dataplane.maps().template_buckets()).find(template4(dataplane, i))) << i;
  }
  EXPECT_EQ(seed(), 4711u);
  EXPECT_EQ(dataplane.maps().position(kVirtual4), 12345u);
  EXPECT_EQ(dataplane.maps().lease_until(4).ns, 77);
  EXPECT_EQ(dataplane.maps().stats(kSlot4).packets, 5u);
  EXPECT_EQ(dataplane.maps().counters().forwarded, 8u);
  EXPECT_EQ(dataplane.maps().counters().dropped_bad_table, 1u);
}

TEST_F(Layout1Test, ItsLeasesCanBeReadWithoutAProgram) {
  EXPECT_EQ(pinned_leases(), example(false).leases);
}

// --- as people see it ---

TEST_F(CarryOverTest, ThePinnedTablesCanBeListedWithoutADaemon) {
  EXPECT_FALSE(PinnedTables::open()) << "there are none";
  {
    Dataplane dataplane = open(sizes(kBuckets));
    ASSERT_TRUE(dataplane.apply(example(true)));
    keep(dataplane);
    ASSERT_TRUE(table(dataplane.maps().buckets()).insert(connection4(dataplane, 0x1f)));
    ASSERT_TRUE(table(dataplane.maps().buckets6()).insert(connection6(dataplane, 7)));
    ASSERT_TRUE(table(dataplane.maps().template_buckets()).insert(template4(dataplane, 0x1f)));
    Entry torn = connection4(dataplane, 1);  // whose slot does not name what w1 says
    torn.w1 += 1ULL << 32;
    ASSERT_TRUE(table(dataplane.maps().buckets()).insert(torn));
  }
  const base::Result<PinnedTables> tables = PinnedTables::open();
  ASSERT_TRUE(tables) << tables.error().message;
  std::vector<Connection> all;
  tables->for_each_connection([&](const Connection& connection) { all.push_back(connection); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].client, ip("10.0.0.31"));
  EXPECT_EQ(all[0].client_port, 40000);
  EXPECT_EQ(all[0].virtual_address, ip("192.168.100.111"));
  EXPECT_EQ(all[0].virtual_port, 80);
  EXPECT_EQ(all[0].real_server, (model::RealServerKey{ip("192.168.100.34"), 80}));
  EXPECT_EQ(all[0].state, XD_PROVEN);
  EXPECT_LE(all[0].age, std::chrono::seconds(3));
  EXPECT_GE(all[0].expires, std::chrono::seconds(97));
  EXPECT_EQ(all[1].virtual_address, ip("2001:db8::111"));
  EXPECT_EQ(all[1].real_server.address, ip("2001:db8::34"));
  std::vector<PersistenceTemplate> templates;
  tables->for_each_template([&](const PersistenceTemplate& one) { templates.push_back(one); });
  ASSERT_EQ(templates.size(), 1u);
  EXPECT_EQ(templates[0].client, ip("10.0.0.31"));
  EXPECT_EQ(templates[0].prefix, 32);
  EXPECT_EQ(templates[0].virtual_server, (model::VirtualServerKey{.address = ip("192.168.100.111"), .port = 80}));
  EXPECT_EQ(templates[0].real_server.address, ip("192.168.100.34"));
}

}  // namespace dataplane
