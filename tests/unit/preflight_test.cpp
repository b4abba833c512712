// SPDX-License-Identifier: Apache-2.0
// What is said of an interface before the program is put on it.
#include "control/preflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_bonding.h>

#include "links_support.hpp"

namespace control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An interface that can do everything; each test takes something away.
class PreflightTest : public testing::Test {
 protected:
  PreflightTest() {
    facts_.link = test::ethernet(2, "eth0", "02:00:00:00:00:02");
    facts_.devices = {{"eth0", {.driver = "ice"}}};
    facts_.cpus = 4;
  }
  netlink::Ethtool& device() { return facts_.devices.front().ethtool; }

  // Of the only finding.
  std::string says(Severity severity) {
    const std::vector<Finding> findings = examine(facts_);
    if (findings.size() != 1) return std::to_string(findings.size()) + " findings";
    EXPECT_EQ(findings.front().severity, severity);
    return findings.front().str();
  }

  InterfaceFacts facts_;
};

}  // namespace

TEST_F(PreflightTest, SaysNothingWhereThereIsNothingToSay) {
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, WhereNoFramesForThisHostArriveNoProgramGoes) {
  facts_.master = test::ethernet(9, "bond0", "02:00:00:00:00:09");
  facts_.master.kind = "bond";
  EXPECT_EQ(says(Severity::refuse),
            "eth0 is a port of bond0, and this host sends and answers by bond0: name \"bond0\" in place of \"eth0\"");
  facts_.master.name = "br0";
  facts_.master.kind = "bridge";
  EXPECT_EQ(says(Severity::refuse),
            "eth0 is a port of the bridge br0, which has this host's addresses: name \"br0\" (generic mode), or take "
            "the port out: ip link set dev eth0 nomaster");
  facts_.master.kind = "vrf";
  EXPECT_THAT(examine(facts_), IsEmpty()) << "there they do arrive";
}

TEST_F(PreflightTest, OnlyEthernetHasMacAddressesToRewrite) {
  facts_.link.ethernet = false;
  EXPECT_EQ(says(Severity::refuse),
            "eth0 is not an Ethernet interface, and frames are sent on by their MAC address: name the interface where "
            "the clients' frames arrive");
}

TEST_F(PreflightTest, LroIsToBeSwitchedOff) {
  device().lro = true;
  EXPECT_EQ(says(Severity::no_native), "eth0 merges frames (LRO): ethtool -K eth0 lro off");
}

TEST_F(PreflightTest, AVlanSubInterfaceIsBetterCarriedByItsParent) {
  facts_.link = test::vlan(100, facts_.link, 100);
  EXPECT_EQ(says(Severity::no_native),
            "eth0.100 is a VLAN sub-interface, which has no native XDP: add its parent to \"interfaces\"; the parent's "
            "program then takes its frames, with their tags");
}

TEST_F(PreflightTest, VirtualInterfacesHaveNoNativeXdp) {
  for (const char* kind : {"bridge", "macvlan"}) {
    facts_.link.kind = kind;
    EXPECT_EQ(says(Severity::no_native),
              std::string("eth0 is a ") + kind + ", which has no native XDP: use an interface of hardware");
  }
  facts_.link.kind = "veth";
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, ATagTakenOffByTheDriverIsMissingWhenTheFrameLeaves) {
  facts_.vlans = {{test::vlan(100, facts_.link, 100), false}};
  EXPECT_THAT(examine(facts_), IsEmpty());
  device().strips_vlan_tags = true;
  EXPECT_EQ(says(Severity::warn),
            "eth0 takes VLAN tags off before the program sees a frame, and eth0.100 stands on them: ethtool -K eth0 "
            "rxvlan off");
  facts_.vlans.front().carried = true;
  EXPECT_EQ(examine(facts_).front().severity, Severity::refuse) << "virtual servers' frames would go astray";
}

TEST_F(PreflightTest, ACarriedVlanMustHaveItsParentsMac) {
  facts_.vlans = {{test::vlan(100, facts_.link, 100), true}};
  EXPECT_THAT(examine(facts_), IsEmpty());
  facts_.vlans.front().link.mac = test::mac("02:00:00:00:01:00");
  EXPECT_EQ(says(Severity::refuse),
            "eth0.100 has a MAC address of its own, and the program on eth0 takes frames to 02:00:00:00:00:02 only: ip "
            "link set dev eth0.100 address 02:00:00:00:00:02");
  facts_.vlans.front().carried = false;
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, ABondHasNativeXdpInSomeModesOnly) {
  facts_.link.name = "bond0";
  facts_.link.kind = "bond";
  facts_.devices = {{"eth0", {.driver = "ice"}}, {"eth1", {.driver = "ice"}}};
  for (const uint8_t mode : {BOND_MODE_ROUNDROBIN, BOND_MODE_ACTIVEBACKUP, BOND_MODE_XOR, BOND_MODE_8023AD}) {
    facts_.link.bond = {mode, BOND_XMIT_POLICY_LAYER34};
    EXPECT_THAT(examine(facts_), IsEmpty());
  }
  for (const uint8_t mode : {BOND_MODE_BROADCAST, BOND_MODE_TLB, BOND_MODE_ALB}) {
    facts_.link.bond = {mode, BOND_XMIT_POLICY_LAYER34};
    EXPECT_EQ(says(Severity::no_native),
              "the bond bond0 is of a mode that has no native XDP: use the mode active-backup, 802.3ad, balance-xor or "
              "balance-rr");
  }
  facts_.link.bond = {BOND_MODE_8023AD, BOND_XMIT_POLICY_VLAN_SRCMAC};
  EXPECT_EQ(says(Severity::no_native),
            "the bond bond0 chooses ports by vlan+srcmac, which has no native XDP: ip link set dev bond0 type bond "
            "xmit_hash_policy layer3+4");
}

TEST_F(PreflightTest, WhatTheDevicesOfABondDoCounts) {
  facts_.link.name = "bond0";
  facts_.link.bond = {BOND_MODE_ACTIVEBACKUP, 0};
  facts_.devices = {{"eth0", {}}, {"eth1", {.lro = true}}};
  EXPECT_EQ(says(Severity::no_native), "eth1 merges frames (LRO): ethtool -K eth1 lro off");
}

TEST_F(PreflightTest, AnMtuBeyondAPageDependsOnTheDriver) {
  facts_.link.mtu = 9000;
  EXPECT_EQ(says(Severity::no_native),
            "frames of eth0's MTU 9000 do not fit in a page, and not every driver passes larger ones to XDP: ip link "
            "set dev eth0 mtu 3498");
  device().driver = "ena";
  EXPECT_EQ(says(Severity::no_native),
            "eth0's MTU 9000 is more than its driver (ena) takes with XDP: ip link set dev eth0 mtu 3498");
  facts_.link.mtu = 3498;
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, SomeDriversWantHalfOfTheQueuesFree) {
  device() = {.driver = "ena", .channels = netlink::Channels{.combined = 8, .max_combined = 8}};
  EXPECT_EQ(says(Severity::no_native),
            "eth0 has too few queues free: its driver (ena) wants half of them for what XDP sends: ethtool -L eth0 "
            "combined 4");
  device().channels->combined = 4;
  EXPECT_THAT(examine(facts_), IsEmpty());
  device() = {.driver = "gve", .channels = netlink::Channels{.rx = 4, .tx = 4, .max_rx = 4, .max_tx = 4}};
  EXPECT_EQ(
      says(Severity::no_native),
      "eth0 has too few queues free: its driver (gve) wants half of them for what XDP sends: ethtool -L eth0 rx 2 "
      "tx 2");
}

TEST_F(PreflightTest, VirtioWantsAQueueForEachCpuBesidesThoseInUse) {
  device() = {.driver = "virtio_net", .channels = netlink::Channels{.combined = 4, .max_combined = 4}};
  EXPECT_EQ(says(Severity::warn),
            "eth0 has 4 pairs of queues and uses 4; for 4 CPUs native XDP sends without locks from 8 on: give the "
            "virtual machine more queues");
  device().channels->max_combined = 6;
  EXPECT_THAT(says(Severity::warn), testing::EndsWith("more queues, or: ethtool -L eth0 combined 2"));
  device().channels->max_combined = 8;
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, WhatTheKernelTellsOfTheDriverCounts) {
  facts_.link.mtu = 9000;
  facts_.devices.front().xdp = netlink::XdpFeatures{.native = true, .multi_buffer = true};
  EXPECT_THAT(examine(facts_), IsEmpty());
  facts_.devices.front().xdp->multi_buffer = false;
  EXPECT_EQ(says(Severity::no_native),
            "eth0's MTU 9000 is more than its driver (ice) takes with XDP: ip link set dev eth0 mtu 3498");
  facts_.link.mtu = 1500;
  facts_.devices.front().xdp->native = false;
  EXPECT_EQ(says(Severity::no_native),
            "eth0's driver (ice) has no native XDP as it is set up now: use an interface of another driver, if nothing "
            "else that is said here helps");
}

TEST_F(PreflightTest, WhereGenericModeIsWantedNothingIsSaidOfNative) {
  facts_.generic = true;
  facts_.link.kind = "bridge";
  facts_.link.mtu = 9000;
  device() = {.driver = "ena", .lro = true, .channels = netlink::Channels{.combined = 8, .max_combined = 8}};
  facts_.exits = {{test::ethernet(3, "br0", "02:00:00:00:00:03"), false, netlink::XdpFeatures{}}};
  facts_.exits.front().link.mtu = 9000;
  EXPECT_THAT(examine(facts_), IsEmpty());
}

TEST_F(PreflightTest, ANativeProgramHandsFramesOnlyToInterfacesThatTakeThem) {
  facts_.exits = {{test::ethernet(3, "eth1", "02:00:00:00:00:03"), false, netlink::XdpFeatures{.native = true}}};
  EXPECT_EQ(says(Severity::refuse),
            "real servers are reached by eth1, which takes frames from a native program on eth0 only while it has one "
            "of its own: add \"eth1\" to \"interfaces\"");
  facts_.exits.front().has_program = true;
  EXPECT_THAT(examine(facts_), IsEmpty()) << "it takes them as soon as it has it";
  facts_.exits.front() = {facts_.exits.front().link, false, netlink::XdpFeatures{.native = true, .sends = true}};
  EXPECT_THAT(examine(facts_), IsEmpty());

  const char* never =
      "real servers are reached by eth1, which takes no frames from a native program on eth0: run with --xdp-mode "
      "generic, or reach them by an interface with native XDP";
  facts_.exits.front().xdp = netlink::XdpFeatures{};
  EXPECT_EQ(says(Severity::refuse), never);
  facts_.exits.front().xdp.reset();
  facts_.exits.front().link.kind = "bridge";
  EXPECT_EQ(says(Severity::refuse), never) << "by its kind, where the kernel does not say";
  facts_.link.kind = "macvlan";
  EXPECT_EQ(says(Severity::no_native), "eth0 is a macvlan, which has no native XDP: use an interface of hardware")
      << "then the program is not a native one";
}

TEST_F(PreflightTest, WherePacketsLeaveMattersToo) {
  facts_.exits = {{test::ethernet(3, "eth1", "02:00:00:00:00:03"), true}};
  EXPECT_THAT(examine(facts_), IsEmpty());
  facts_.exits.front().has_program = false;
  EXPECT_EQ(says(Severity::warn),
            "real servers are reached by eth1, which has no program of its own, and many drivers send what eth0 hands "
            "them only with one: add \"eth1\" to \"interfaces\"");
  facts_.exits.front() = {test::ethernet(3, "eth1", "02:00:00:00:00:03"), true};
  facts_.exits.front().link.mtu = 1400;
  EXPECT_EQ(says(Severity::warn),
            "packets of more than 1400 bytes that come by eth0 (MTU 1500) are lost on their way out by eth1: give both "
            "the same MTU");
}

TEST_F(PreflightTest, WhatForbidsTheProgramComesFirst) {
  facts_.link.ethernet = false;
  device().lro = true;
  facts_.exits = {{test::ethernet(3, "eth1", "02:00:00:00:00:03"), true}};
  facts_.exits.front().link.mtu = 1400;
  std::vector<Severity> order;
  for (const Finding& finding : examine(facts_)) order.push_back(finding.severity);
  EXPECT_THAT(order, ElementsAre(Severity::refuse, Severity::no_native, Severity::warn));
}

}  // namespace control
