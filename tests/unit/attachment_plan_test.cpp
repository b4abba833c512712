// SPDX-License-Identifier: Apache-2.0
// Where the program goes, where frames leave, and which real servers are in another VLAN.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/vlan_check.hpp"
#include "links_support.hpp"

namespace control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// eth0 with the VLANs 100 (index 100) and 200, within 100 a further 7; eth1.
class AttachmentPlanTest : public testing::Test {
 protected:
  AttachmentPlanTest() {
    const netlink::Link eth0 = links_.at(2);
    test::add(links_, test::vlan(100, eth0, 100));
    test::add(links_, test::vlan(200, eth0, 200));
    test::add(links_, test::vlan(107, links_.at(100), 7));
  }
  AttachmentPlan plan(std::vector<std::string> names) { return {std::move(names), links_}; }

  Links links_ = test::two_interfaces();
};

}  // namespace

TEST_F(AttachmentPlanTest, EachInterfaceNeedsAProgramAlsoOneThatIsNotThere) {
  const AttachmentPlan both = plan({"eth1", "eth0", "eth9"});
  EXPECT_THAT(both.interfaces(), ElementsAre("eth1", "eth0", "eth9"));
  EXPECT_EQ(both.carrier("eth0"), std::nullopt);
  EXPECT_THAT(both.entrances(), ElementsAre(Pair(2, links_.at(2).mac), Pair(3, links_.at(3).mac)));
  EXPECT_EQ(both.exit(3), (AttachmentPlan::Exit{3, {}}));
  EXPECT_EQ(both.exit(77), (AttachmentPlan::Exit{77, {}})) << "one that is not known";
}

TEST_F(AttachmentPlanTest, AVlanSubInterfaceAloneHasAProgramOfItsOwn) {
  const AttachmentPlan alone = plan({"eth0.100"});
  EXPECT_THAT(alone.interfaces(), ElementsAre("eth0.100"));
  EXPECT_EQ(alone.exit(100), (AttachmentPlan::Exit{100, {}}));
  EXPECT_EQ(alone.exit(107), (AttachmentPlan::Exit{100, {7}}));
}

TEST_F(AttachmentPlanTest, AParentThatIsInTheListCarriesItsVlans) {
  const AttachmentPlan carried = plan({"eth0.100", "eth0.100.7", "eth0"});
  EXPECT_THAT(carried.interfaces(), ElementsAre("eth0"));
  EXPECT_EQ(carried.carrier("eth0.100"), "eth0");
  EXPECT_EQ(carried.carrier("eth0.100.7"), "eth0");
  EXPECT_THAT(carried.carried_by("eth0"), ElementsAre("eth0.100", "eth0.100.7"));
  EXPECT_THAT(carried.entrances(), ElementsAre(Pair(2, links_.at(2).mac)));
  EXPECT_EQ(carried.exit(100), (AttachmentPlan::Exit{2, {100}}));
  EXPECT_EQ(carried.exit(107), (AttachmentPlan::Exit{2, {100, 7}})) << "outermost first";
}

TEST_F(AttachmentPlanTest, AVlanWhoseParentIsElsewhereStandsForItself) {
  links_.at(100).vlan->parent = 0;
  EXPECT_THAT(plan({"eth0.100", "eth0"}).interfaces(), ElementsAre("eth0.100", "eth0"));
  EXPECT_EQ(plan({"eth0"}).exit(100), (AttachmentPlan::Exit{100, {}}));
}

TEST_F(AttachmentPlanTest, FramesToABondArriveAtItsPorts) {
  netlink::Link bond = test::ethernet(9, "bond0", "02:00:00:00:00:09");
  bond.bond.emplace();
  test::add(links_, bond);
  links_.at(2).master = 9;
  links_.at(3).master = 9;
  EXPECT_THAT(plan({"bond0"}).entrances(), ElementsAre(Pair(2, bond.mac), Pair(3, bond.mac), Pair(9, bond.mac)));
}

// One virtual address by VRRP, one virtual server on it, one real server.
class VlanCheckTest : public AttachmentPlanTest {
 protected:
  std::vector<std::string> problems(const char* in, uint32_t out, std::vector<std::string> interfaces = {}) {
    const auto vip = *base::Ipv4::parse("10.0.0.111"), real = *base::Ipv4::parse("10.0.0.34");
    model::Config config;
    config.interfaces = std::move(interfaces);
    config.vrrp_instances = {{.name = "VI_1", .interface = in, .virtual_addresses = {vip}}};
    config.port_marks = {{.mark = 1, .address = vip, .first_port = 21, .last_port = 21}};
    config.virtual_servers = {
        {.name = "rest", .key = {.address = vip, .port = 80}, .real_servers = {{.address = real, .port = 80}}},
        {.name = "ftp", .key = {.mark = 1}, .real_servers = {{.address = real, .port = 21}}}};
    return vlan_contradictions(config, plan(config.attached_interfaces()), links_, {{real, out}});
  }
};

TEST_F(VlanCheckTest, ARealServerOfTheSameVlanOrOfAnotherUntaggedNetworkIsFine) {
  EXPECT_THAT(problems("eth0", 2), IsEmpty());
  EXPECT_THAT(problems("eth0", 3), IsEmpty()) << "both untagged";
  EXPECT_THAT(problems("eth0.100", 100), IsEmpty()) << "generic, on itself";
  EXPECT_THAT(problems("eth0.100", 100, {"eth0"}), IsEmpty()) << "carried";
  EXPECT_THAT(problems("eth0.100", 3), IsEmpty()) << "there the program sees no tag";
}

TEST_F(VlanCheckTest, ARealServerOfAnotherVlanIsNamedOnce) {
  EXPECT_THAT(
      problems("eth0", 100),
      ElementsAre("real server 10.0.0.34 of \"rest\" is reached by eth0.100, but packets for 10.0.0.111 come by "
                  "eth0: a frame leaves with the VLAN tag it came with, so use a real server of that VLAN"));
  EXPECT_EQ(problems("eth0.100", 200, {"eth0"}).size(), 1u);
  EXPECT_EQ(problems("eth0.100", 2, {"eth0"}).size(), 1u) << "it would leave tagged";
  EXPECT_EQ(problems("eth0.100", 3, {"eth0"}).size(), 1u) << "by another interface, too";
  EXPECT_EQ(problems("eth1", 100, {"eth0.100"}).size(), 1u) << "a sub-interface takes no frames from others";
}

TEST_F(VlanCheckTest, WhatIsNotKnownIsNotJudged) {
  EXPECT_THAT(problems("eth9", 100), IsEmpty()) << "an interface that is not there";
  EXPECT_THAT(problems("eth0", 77), IsEmpty());
}

TEST_F(AttachmentPlanTest, AFrameIsForTheInterfaceThatItsTagsName) {
  const AttachmentPlan carried = plan({"eth0", "eth0.100", "eth0.100.7"});
  EXPECT_TRUE(carried.meets("eth0", 2, {}));
  EXPECT_TRUE(carried.meets("eth0.100", 2, {100}));
  EXPECT_TRUE(carried.meets("eth0.100.7", 2, {100, 7}));
  EXPECT_FALSE(carried.meets("eth0.100", 2, {200}));
  EXPECT_FALSE(carried.meets("eth0.100", 2, {}));
  EXPECT_FALSE(carried.meets("eth0", 3, {}));
  EXPECT_FALSE(carried.meets("eth9", 9, {})) << "it does not exist";
  EXPECT_TRUE(plan({"eth0.100"}).meets("eth0.100", 100, {})) << "by a program of its own";
}

}  // namespace control
