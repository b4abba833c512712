// SPDX-License-Identifier: Apache-2.0
// What the host itself sends: a node whose mastership has run out claims no virtual address, by whatever packet.
#include "bpf/fixture.hpp"

namespace test {

constexpr int64_t kHour = 3600 * 1'000'000'000LL;

class Egress : public EachFamily {
 protected:
  const base::Mac everybody_ = ipv6() ? mac("33:33:00:00:00:01") : base::kBroadcastMac;
  const std::string group_ = ipv6() ? "ff02::1" : "224.0.0.1";
  const base::Mac virtual_mac_ = mac(ipv6() ? "00:00:5e:00:02:64" : "00:00:5e:00:01:64");

  // A question for the client's address, sent from `source`.
  Packet asks(const Packet& frame, std::string_view source) const {
    return ipv6() ? frame.ip(source, group_).solicitation(client_address_)
                  : frame.arp(1, director_, source, client_address_);
  }
  Packet asks_from(std::string_view source) const { return asks(eth(director_, everybody_), source); }
  // An answer to the client: "I have `target`".
  Packet answers(std::string_view target) const {
    const Packet frame = eth(director_, client_);
    return ipv6() ? frame.ip(host(244), client_address_).advertisement(target)
                  : frame.arp(2, director_, target, client_address_);
  }
  Packet announces(std::string_view target) const {
    const Packet frame = eth(director_, everybody_);
    return ipv6() ? frame.ip(target, group_).advertisement(target) : frame.arp(1, director_, target, target);
  }
  // Something of the kernel's own from a virtual router's MAC address: here, that it listens to a group.
  Packet multicast_report() const {
    const Packet frame = eth(virtual_mac_, everybody_);
    return ipv6() ? frame.ip("fe80::1", group_).icmp(143, 0) : frame.ip("0.0.0.0", group_).later(2);
  }
};
INSTANTIATE_TEST_SUITE_P(Both, Egress, kBothFamilies, family_name);

TEST_P(Egress, HoldsClaimsBackWhenTheLeaseHasRunOut) {
  lease(host(110), kHour);
  lease(vip_, -1);
  EXPECT_FALSE(leaves(asks_from(vip_)));
  EXPECT_FALSE(leaves(answers(vip_)));
  EXPECT_FALSE(leaves(announces(vip_)));
  EXPECT_FALSE(leaves(asks(eth(director_, everybody_).vlan(100), vip_))) << "tagged";
}

TEST_P(Egress, WhileTheLeaseRunsTheyLeave) {
  lease(vip_, kHour);
  EXPECT_TRUE(leaves(asks_from(vip_)));
  EXPECT_TRUE(leaves(answers(vip_)));
  EXPECT_TRUE(leaves(announces(vip_)));
}

TEST_P(Egress, OtherAddressesAreTheHostsOwn) {
  lease(vip_, -1);
  EXPECT_TRUE(leaves(asks_from(host(244))));
  EXPECT_TRUE(leaves(answers(host(244))));
  EXPECT_TRUE(leaves(announces(host(244))));
}

TEST_P(Egress, ToAskForTheVirtualAddressIsNoClaim) {
  lease(vip_, -1);
  const Packet frame = eth(director_, everybody_);
  EXPECT_TRUE(
      leaves(ipv6() ? frame.ip(host(244), group_).solicitation(vip_) : frame.arp(1, director_, host(244), vip_)));
  // Nor is the probe for a duplicate, which has no sender yet.
  EXPECT_TRUE(leaves(ipv6() ? frame.ip("::", group_).solicitation(vip_) : frame.arp(1, director_, "0.0.0.0", vip_)));
}

TEST_P(Egress, WhatIsNoAddressResolutionLeaves) {
  lease(vip_, -1);
  const Packet frame = eth(director_, client_).ip(vip_, client_address_);
  EXPECT_TRUE(leaves(frame.tcp(9826, 40000, kAck)));
  EXPECT_TRUE(leaves(frame.icmp(ipv6() ? 129 : 0, 0)));
  EXPECT_TRUE(leaves(announces(vip_).cut(announces(vip_).bytes().size() - 1)));
}

TEST_P(Egress, NothingLeavesFromAVirtualMacUnlessThisNodeIsMaster) {
  lease(vip_, -1);
  EXPECT_FALSE(leaves(multicast_report()));
  EXPECT_FALSE(leaves(eth(virtual_mac_, client_).ip(vip_, client_address_).tcp(9826, 40000, kAck)));
  EXPECT_FALSE(leaves(eth(virtual_mac_, client_).ethertype(0x88cc, {0, 0})));
  lease(host(112), kHour);
  EXPECT_TRUE(leaves(multicast_report()));
}

TEST_P(Egress, AdvertisementsLeaveFromAVirtualMacBeforeThereIsALease) {
  lease(vip_, -1);
  const std::string everyone = ipv6() ? "ff02::12" : "224.0.0.18";
  EXPECT_TRUE(leaves(eth(virtual_mac_, everybody_).ip(host(244), everyone).vrrp(3, 100, 100)));
  EXPECT_FALSE(leaves(eth(virtual_mac_, everybody_).ip(host(244), everyone).udp(112, 112)));
}

}  // namespace test
