// SPDX-License-Identifier: Apache-2.0
// One run of xdirector after another on a real interface: what is adopted, what is made anew, what an error leaves.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <cstdlib>
#include <string>

#include "dataplane/dataplane.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint32_t kBuckets = 256;
constexpr uint32_t kIndex = 77;  // of the interface, so that one made anew can have the same
constexpr uint32_t kLoopback = 1;

void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

uint32_t program_on(uint32_t ifindex) {
  uint32_t id = 0;
  EXPECT_EQ(bpf_xdp_query_id(static_cast<int>(ifindex), 0, &id), 0);
  return id;
}

class AdoptionTest : public testing::Test {
 protected:
  void SetUp() override { run("ip link add eth0 index 77 type veth peer name eth1"); }
  void TearDown() override {
    detach_all();
    run("ip link delete eth0");
  }

  static Dataplane open(uint32_t buckets = kBuckets) {
    base::Result<Dataplane> opened =
        Dataplane::open({.connections = buckets, .connections6 = kBuckets, .templates = kBuckets});
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }

  static Attached attach(Dataplane& dataplane, std::optional<Mode> wanted = Mode::generic, uint32_t ifindex = kIndex) {
    const base::Result<Attached> attached = dataplane.attach_to({ifindex, "eth0", 1500}, wanted);
    if (!attached) ADD_FAILURE() << attached.error().message;
    return attached.value_or(Attached{});
  }

  static model::Tables with_lease() {
    model::Tables tables;
    tables.leases[*base::Ipv4::parse("192.168.100.111")] = {0, kIndex};
    return tables;
  }
};

}  // namespace

TEST_F(AdoptionTest, ASecondRunTakesOverTheFirstOnesTablesAndItsLink) {
  uint32_t first = 0;
  {
    Dataplane dataplane = open();
    EXPECT_THAT(dataplane.found(), IsEmpty());
    EXPECT_FALSE(attach(dataplane).adopted);
    ASSERT_TRUE(dataplane.apply(with_lease()));
    ASSERT_TRUE(dataplane.keep());
    first = program_on(kIndex);
  }
  EXPECT_EQ(program_on(kIndex), first) << "nobody runs and the packets still flow";
  Dataplane dataplane = open();
  EXPECT_THAT(dataplane.found(), HasSubstr("took over"));
  EXPECT_EQ(dataplane.tables(), with_lease());
  EXPECT_TRUE(attach(dataplane).adopted);
  EXPECT_NE(program_on(kIndex), first);
}

TEST_F(AdoptionTest, ATableOfAnotherSizeIsFilledWhileTheOldProgramRunsOn) {
  {
    Dataplane dataplane = open();
    attach(dataplane);
    ASSERT_TRUE(dataplane.apply(with_lease()));
    ASSERT_TRUE(dataplane.keep());
  }
  const uint32_t first = program_on(kIndex);
  Dataplane dataplane = open(2 * kBuckets);
  EXPECT_EQ(dataplane.tables(), with_lease());
  EXPECT_EQ(program_on(kIndex), first);
  EXPECT_TRUE(attach(dataplane).adopted) << "no packet meets no program";
}

TEST_F(AdoptionTest, WhatIsNotAllThereIsNotAdopted) {
  {
    Dataplane dataplane = open();
    ASSERT_TRUE(dataplane.apply(with_lease()));
    ASSERT_TRUE(dataplane.keep());
  }
  pins::unpin("services");
  Dataplane dataplane = open();
  EXPECT_THAT(dataplane.found(), HasSubstr("dropped 0 connections"));
  EXPECT_EQ(dataplane.tables(), model::Tables{});
}

// As a version has left them that knew one verdict less, and nothing of VRRP on the wire.
TEST_F(AdoptionTest, CountersOfAnotherVersionAreCopiedAndWhatItDidNotHaveIsMadeBeside) {
  {
    Dataplane dataplane = open();
    attach(dataplane);
    ASSERT_TRUE(dataplane.apply(with_lease()));
    ASSERT_TRUE(dataplane.keep());
  }
  const base::Fd older(bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", sizeof(uint32_t),
                                      sizeof(xd_counters) - sizeof(uint64_t), 1, nullptr));
  PerCpuCounters<xd_counters>(older.get()).set(0, {.forwarded = 5, .dropped_claim = 9});
  for (const char* name : {"counters", "vrrp_seen"}) pins::unpin(name);
  ASSERT_TRUE(pins::pin(older.get(), "counters"));

  Dataplane dataplane = open();
  EXPECT_THAT(dataplane.found(), HasSubstr("took over"));
  EXPECT_EQ(dataplane.tables(), with_lease());
  EXPECT_EQ(dataplane.maps().counters().forwarded, 5u);
  EXPECT_EQ(dataplane.maps().counters().dropped_claim, 0u) << "the older map had no room for it";
  EXPECT_TRUE(attach(dataplane).adopted);
  ASSERT_TRUE(dataplane.keep());
  EXPECT_EQ(PerCpuCounters<xd_counters>(pins::open("counters")->get()).sum(0).forwarded, 5u);
  EXPECT_TRUE(*pins::open("vrrp_seen"));
}

TEST_F(AdoptionTest, AnInterfaceMadeAnewWithTheSameNumberGetsALinkOfItsOwn) {
  Dataplane dataplane = open();
  attach(dataplane);
  EXPECT_TRUE(is_attached(kIndex));
  run("ip link delete eth0");
  run("ip link add eth0 index 77 type veth peer name eth1");
  EXPECT_FALSE(is_attached(kIndex));
  EXPECT_FALSE(attach(dataplane).adopted);
  EXPECT_TRUE(is_attached(kIndex));
  EXPECT_NE(program_on(kIndex), 0u);
}

TEST_F(AdoptionTest, DetachingIsDoneWhenItReturns) {
  Dataplane dataplane = open();
  attach(dataplane);
  detach(kIndex);
  EXPECT_EQ(program_on(kIndex), 0u);
  EXPECT_FALSE(attach(dataplane).adopted) << "and nothing is in the way of the next start";
  EXPECT_TRUE(detach_all());
  EXPECT_EQ(program_on(kIndex), 0u);
  EXPECT_FALSE(detach_all()) << "there was nothing more";
}

TEST_F(AdoptionTest, InterfacesThatAreNotKeptAreDetached) {
  Dataplane dataplane = open();
  attach(dataplane);
  attach(dataplane, Mode::generic, kLoopback);
  detach_others({kIndex});
  EXPECT_NE(program_on(kIndex), 0u);
  EXPECT_EQ(program_on(kLoopback), 0u);
}

TEST_F(AdoptionTest, AnotherModeReplacesTheLink) {
  Dataplane dataplane = open();
  attach(dataplane, Mode::generic);
  const Attached native = attach(dataplane, Mode::native);
  EXPECT_EQ(native.mode, Mode::native);
  EXPECT_FALSE(native.adopted);
}

TEST_F(AdoptionTest, TheProgramGoesWithTheMtu) {
  Dataplane dataplane = open();
  auto multi_buffer_with = [&](uint32_t mtu) {
    const base::Result<Attached> attached = dataplane.attach_to({kIndex, "eth0", mtu}, Mode::native);
    EXPECT_TRUE(attached && attached->mode == Mode::native);
    return attached && attached->multi_buffer;
  };
  EXPECT_FALSE(multi_buffer_with(1500));
  const uint32_t plain = program_on(kIndex);
  EXPECT_TRUE(multi_buffer_with(9000));
  EXPECT_NE(program_on(kIndex), plain) << "by the same link, which has never been off";
  EXPECT_FALSE(multi_buffer_with(3498));
  EXPECT_EQ(program_on(kIndex), plain);
}

TEST_F(AdoptionTest, WhereTheDriverRefusesTheOneProgramItGetsTheOther) {
  run("ip link set eth1 mtu 9000");  // what counts for veth: how large frames can arrive
  Dataplane dataplane = open();
  EXPECT_TRUE(attach(dataplane, std::nullopt).multi_buffer);
  const Attached again = attach(dataplane, Mode::native);
  EXPECT_TRUE(again.adopted);
  EXPECT_TRUE(again.multi_buffer);
}

TEST_F(AdoptionTest, AModeThatTheDriverRefusesLeavesTheProgramAsItWas) {
  Dataplane dataplane = open();
  attach(dataplane, Mode::generic, kLoopback);  // it has no native XDP
  EXPECT_FALSE(dataplane.attach_to({kLoopback, "lo", 1500}, Mode::native));
  EXPECT_TRUE(is_attached(kLoopback)) << "without it nothing would fence the virtual addresses";
  EXPECT_EQ(attach(dataplane, std::nullopt, kLoopback).mode, Mode::generic);
}

TEST_F(AdoptionTest, AnotherProgramIsLeftAloneAndNamed) {
  Dataplane other = open();
  attach(other);
  const uint32_t theirs = program_on(kIndex);
  ASSERT_EQ(rename(pins::path(pins::link_name(kIndex)).c_str(), "/sys/fs/bpf/theirs"), 0);
  const base::Result<Attached> refused = other.attach_to({kIndex, "eth0", 1500}, std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("eth0 already has another XDP program (\"xdirector\""));
  EXPECT_EQ(program_on(kIndex), theirs);
  ASSERT_EQ(rename("/sys/fs/bpf/theirs", pins::path(pins::link_name(kIndex)).c_str()), 0);
}

TEST_F(AdoptionTest, TheLeasesOfARunThatIsGoneCanBeReadWithoutAProgram) {
  EXPECT_THAT(pinned_leases(), IsEmpty());
  {
    Dataplane dataplane = open();
    ASSERT_TRUE(dataplane.apply(with_lease()));
    ASSERT_TRUE(dataplane.keep());
  }
  EXPECT_EQ(pinned_leases(), with_lease().leases);
}

}  // namespace dataplane
