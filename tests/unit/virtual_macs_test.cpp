// SPDX-License-Identifier: Apache-2.0
// Which macvlans are made and removed, and which settings of the kernel are held for them.
#include "control/virtual_macs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "control/fence.hpp"
#include "netlink/addresses.hpp"
#include "own_network.hpp"

namespace control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

model::Config one_instance(const char* address = "10.9.0.100") {
  model::VrrpInstance instance{.name = "VI_1",
                               .interface = "near",
                               .virtual_router_id = 100,
                               .use_vmac = true,
                               .vmac_name = "vrrp.100",
                               .virtual_addresses = {ip(address)}};
  model::Config config;
  config.vrrp_instances = {instance};
  return config;
}

const base::Mac kMac = *base::Mac::parse("00:00:5e:00:01:64");

netlink::Link near() {
  return {.index = 2, .name = "near", .mac = *base::Mac::parse("02:00:00:00:02:44"), .up = true};
}
netlink::Link ours(int index = 7) {
  return {.index = index,
          .name = "vrrp.100",
          .mac = kMac,
          .up = true,
          .kind = "macvlan",
          .alias = "xdirector",
          .macvlan_base = 2};
}
Links links(const std::vector<netlink::Link>& all) {
  Links links;
  for (const netlink::Link& link : all) links[link.index] = link;
  return links;
}

TEST(VirtualMacs, OneIsMadeForEachInstanceThatWantsOne) {
  const VirtualMacPlan plan = plan_virtual_macs(one_instance(), links({near()}), {});
  ASSERT_EQ(plan.add.size(), 1u);
  EXPECT_EQ(plan.add[0].name, "vrrp.100");
  EXPECT_EQ(plan.add[0].parent, 2);
  EXPECT_EQ(plan.add[0].mac, kMac);
  EXPECT_THAT(plan.remove, IsEmpty());
  EXPECT_THAT(plan_virtual_macs(one_instance(), {}, {}).add, IsEmpty()) << "its interface does not exist";
}

TEST(VirtualMacs, OneFromAnEarlierRunIsAdoptedIfItIsAlike) {
  const VirtualMacPlan alike = plan_virtual_macs(one_instance(), links({near(), ours()}), {});
  EXPECT_THAT(alike.add, IsEmpty());
  EXPECT_THAT(alike.remove, IsEmpty());
  netlink::Link other = ours();
  other.mac = *base::Mac::parse("00:00:5e:00:01:65");
  const VirtualMacPlan plan = plan_virtual_macs(one_instance(), links({near(), other}), {7});
  EXPECT_EQ(plan.add.size(), 1u);
  EXPECT_THAT(plan.remove, ElementsAre(7));
}

TEST(VirtualMacs, OneThatNobodyWantsGoesWhenNoAddressIsOnIt) {
  EXPECT_THAT(plan_virtual_macs({}, links({near(), ours()}), {7}).remove, IsEmpty());
  EXPECT_THAT(plan_virtual_macs({}, links({near(), ours()}), {2}).remove, ElementsAre(7));
}

TEST(VirtualMacs, AnOperatorsInterfaceIsLeftAloneAndTheProblemTold) {
  netlink::Link theirs = ours();
  theirs.alias = "";
  EXPECT_THAT(plan_virtual_macs({}, links({near(), theirs}), {}).remove, IsEmpty());
  const VirtualMacPlan plan = plan_virtual_macs(one_instance(), links({near(), theirs}), {});
  EXPECT_THAT(plan.add, IsEmpty());
  EXPECT_THAT(plan.remove, IsEmpty());
  EXPECT_THAT(plan.problems, ElementsAre("VI_1: there is an interface vrrp.100 already, and not by xdirector: remove "
                                         "it (ip link del vrrp.100), or give another vmac_name"));
}

TEST(VirtualMacs, OfIpv6HaveALinkLocalAddressThatNoOtherDirectorHas) {
  const model::Config config = one_instance("fe80::100");
  netlink::Link link = ours();
  link.mac = *base::Mac::parse("00:00:5e:00:02:64");
  const VirtualMacPlan plan = plan_virtual_macs(config, links({near(), link}), {});
  ASSERT_EQ(plan.addresses.size(), 1u);
  EXPECT_EQ(plan.addresses[0].ifindex, 7);
  EXPECT_EQ(plan.addresses[0].ip, ip("fe80::5e:6400:244")) << "from 02:00:00:00:02:44";
}

TEST(VirtualMacs, AreMadeAndRemovedInTheKernel) {
  test::in_own_network([] {
    auto socket = netlink::Socket::open();
    ASSERT_TRUE(socket);
    test::sh("sysctl -qw net.ipv4.conf.all.rp_filter=0");
    for (int round = 0; round < 2; ++round) {  // the second finds what the first has made
      EXPECT_THAT(hold_virtual_macs(one_instance("fe80::100"), {}), IsEmpty());
    }
    const auto link = *netlink::find_link(*socket, "vrrp.100");
    ASSERT_TRUE(link);
    const auto below = *netlink::find_link(*socket, "near");
    const auto addresses = *netlink::addresses(*socket);
    EXPECT_EQ(netlink::primary_address(addresses, link->index, AF_INET6),
              link_local(one_instance("fe80::100").vrrp_instances[0], below->mac));
    EXPECT_THAT(hold_virtual_macs({}, {link->index}), IsEmpty());
    EXPECT_TRUE(*netlink::find_link(*socket, "vrrp.100")) << "an address may be on it";
    EXPECT_TRUE(remove_virtual_macs());
    EXPECT_FALSE(*netlink::find_link(*socket, "vrrp.100"));
  });
}

TEST(KernelSettings, AreThoseOfTheFenceAndWhatInstancesAskFor) {
  model::Config config = one_instance();
  EXPECT_THAT(kernel_settings(config, {"near"}),
              UnorderedElementsAre(Pair("near", Fence::kQuiet),
                                   Pair("vrrp.100", UnorderedElementsAre(Pair("arp_ignore", 1), Pair("arp_announce", 2),
                                                                         Pair("rp_filter", 0)))));
  config.vrrp_instances[0].use_vmac = false;
  config.vrrp_instances[0].promote_secondaries = true;
  EXPECT_THAT(kernel_settings(config, {}),
              UnorderedElementsAre(Pair("near", ElementsAre(Pair("promote_secondaries", 1)))));
}

}  // namespace
}  // namespace control
