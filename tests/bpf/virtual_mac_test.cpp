// SPDX-License-Identifier: Apache-2.0
// Frames to a virtual router's MAC address are for whoever is MASTER: ours while the lease of the address in them runs.
#include "bpf/fixture.hpp"

namespace test {

constexpr int64_t kHour = 3600 * 1'000'000'000LL;

class VirtualMac : public EachFamily {
 protected:
  const base::Mac virtual_mac_ = mac(ipv6() ? "00:00:5e:00:02:64" : "00:00:5e:00:01:64");
  Packet to_virtual_mac(const Packet& packet) const { return packet.with_eth(client_, virtual_mac_); }
};
INSTANTIATE_TEST_SUITE_P(Both, VirtualMac, kBothFamilies, family_name);

TEST_P(VirtualMac, IsOursWhileTheLeaseRuns) {
  lease(host(110), -1);
  lease(vip_, kHour);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  const Packet syn = to_virtual_mac(tcp(40000, 9826, kSyn)), data = to_virtual_mac(tcp(40000, 9826, kAck));
  EXPECT_SENT(run(syn), verdict_scheduled, syn.with_eth(director_, real(34).mac));
  EXPECT_SENT(run(data), verdict_forwarded, data.with_eth(director_, real(34).mac));
}

TEST_P(VirtualMac, IsDroppedWhenItHasRunOut) {
  lease(vip_, -1);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  for (const Packet& packet :
       {tcp(40000, 9826, kSyn), tcp(40000, 22, kSyn), frame_.ip(client_address_, vip_).icmp(8, 0)})
    EXPECT_LEFT(run(to_virtual_mac(packet)), XDP_DROP, verdict_dropped_virtual_mac, to_virtual_mac(packet));
  const Packet tagged = eth(client_, virtual_mac_).vlan(7).ip(client_address_, vip_).tcp(40000, 9826, kSyn);
  EXPECT_LEFT(run(tagged), XDP_DROP, verdict_dropped_virtual_mac, tagged);
  EXPECT_TRUE(connections().empty());
}

TEST_P(VirtualMac, PassesWhatIsForAnAddressOfNoInstance) {
  lease(host(110), kHour);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  const Packet packet = to_virtual_mac(tcp(40000, 9826, kSyn));
  EXPECT_LEFT(run(packet), XDP_PASS, verdict_passed_not_ours, packet);
}

TEST_P(VirtualMac, OtherPortsOfTheAddressAreTheKernels) {
  lease(vip_, kHour);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  const Packet packet = to_virtual_mac(tcp(40000, 22, kSyn));
  EXPECT_LEFT(run(packet), XDP_PASS, verdict_passed_no_service, packet);
}

TEST_P(VirtualMac, ADeadNodesOwnMacIsStillServed) {
  lease(vip_, -1);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled) << "clients that have not heard of the takeover";
}

TEST_P(VirtualMac, OnlyThoseOfTheStandard) {
  lease(vip_, -1);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  for (const char* other : {"00:00:5e:00:03:64", "00:00:5e:00:00:64", "00:00:5e:01:01:64", "02:00:5e:00:01:64"})
    EXPECT_EQ(run(tcp(40000, 9826, kSyn).with_eth(client_, mac(other))).verdict, verdict_passed_not_ours) << other;
}

TEST_P(VirtualMac, WhatIsCutShortPasses) {
  lease(vip_, -1);
  const Packet packet = to_virtual_mac(tcp(40000, 9826, kSyn));
  const Packet cut = packet.cut(packet.transport_offset() - 1);
  EXPECT_EQ(run(cut).action, XDP_PASS);
}

}  // namespace test
