// SPDX-License-Identifier: Apache-2.0
// Frames in, frames out: what is looked at, what is changed, and what is the kernel's.
#include "bpf/fixture.hpp"

namespace test {

class Forward : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (ready()) rest_ = virtual_server(vip_, 9826, kTcp, {real_});
  }

  const RealServer real_ = real(34);
  VirtualServer rest_;
};

INSTANTIATE_TEST_SUITE_P(Both, Forward, kBothFamilies, family_name);

TEST_P(Forward, OnlyLayerTwoChanges) {
  const auto in = tcp(40000, 9826, kSyn).payload("hello");
  EXPECT_SENT(run(in), verdict_scheduled, in.with_eth(director_, real_.mac));
}

TEST_P(Forward, EstablishedPacketFollowsItsConnection) {
  run(tcp(40000, 9826, kSyn));
  const auto in = tcp(40000, 9826, kAck);
  EXPECT_SENT(run(in), verdict_forwarded, in.with_eth(director_, real_.mac));
}

TEST_P(Forward, SourceMacIsThatOfTheInterfaceTheRealServerIsReachedBy) {
  const base::Mac other = mac("02:00:00:00:0f:0f");
  std::copy(other.bytes().begin(), other.bytes().end(), slot(rest_.slots[0]).source_mac);
  const auto in = tcp(40000, 9826, kSyn);
  EXPECT_SENT(run(in), verdict_scheduled, in.with_eth(other, real_.mac));
}

TEST_P(Forward, RealServerBehindAnotherInterfaceIsRedirectedTo) {
  slot(rest_.slots[0]).ifindex = 77;
  const auto in = tcp(40000, 9826, kSyn);
  const auto out = run(in);
  EXPECT_EQ(out.action, XDP_REDIRECT);
  EXPECT_EQ(out.verdict, verdict_scheduled);
  EXPECT_PACKET(out, in.with_eth(director_, real_.mac));
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).action, XDP_REDIRECT);
}

TEST_P(Forward, CountsPacketsBytesAndConnectionsOfTheRealServer) {
  const auto syn = tcp(40000, 9826, kSyn), ack = tcp(40000, 9826, kAck).payload("hello");
  run(syn);
  run(ack);
  const auto stats = this->stats(rest_.slots[0]);
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.bytes, syn.bytes().size() + ack.bytes().size());
  EXPECT_EQ(stats.connections, 1U);
}

TEST_P(Forward, AFrameOfSeveralBuffersIsForwardedAndCountedInFull) {
  const auto syn = tcp(40000, 9826, kSyn), large = tcp(40000, 9826, kAck).payload(std::string(8960, 'x'));
  EXPECT_SENT(run_multi_buffer(syn), verdict_scheduled, syn.with_eth(director_, real_.mac));
  EXPECT_SENT(run_multi_buffer(large), verdict_forwarded, large.with_eth(director_, real_.mac));
  EXPECT_SENT(run(tcp(40000, 9826, kAck)), verdict_forwarded, tcp(40000, 9826, kAck).with_eth(director_, real_.mac));
  EXPECT_EQ(stats(rest_.slots[0]).bytes, syn.bytes().size() + large.bytes().size() + tcp(1, 1, kAck).bytes().size());
}

TEST_P(Forward, VlanTagsAreLookedThroughAndKept) {
  const auto tagged = frame_.vlan(100).ip(client_address_, vip_).tcp(1, 9826, kSyn);
  EXPECT_SENT(run(tagged), verdict_scheduled, tagged.with_eth(director_, real_.mac));
  const auto twice = frame_.vlan(5, 0x88a8).vlan(100).ip(client_address_, vip_).tcp(2, 9826, kSyn);
  EXPECT_SENT(run(twice), verdict_scheduled, twice.with_eth(director_, real_.mac));
  const auto thrice = frame_.vlan(5, 0x88a8).vlan(6).vlan(7).ip(client_address_, vip_).tcp(3, 9826, kSyn);
  EXPECT_LEFT(run(thrice), XDP_PASS, verdict_passed_not_ip, thrice);
}

TEST_P(Forward, FramesToAnotherMacAreNotOurs) {
  for (const auto& to : {mac("02:00:00:00:02:45"), mac("02:00:00:01:02:44"), base::kBroadcastMac}) {
    const auto in = tcp(40000, 9826, kSyn).with_eth(client_, to);
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_not_ours, in);
  }
  EXPECT_TRUE(connections().empty());
}

TEST_P(Forward, AnInterfaceIsFoundBehindOthersOfTheSameRemainder) {
  interface(kLoopback, mac("02:00:00:00:00:01"));
  const auto in = tcp(40000, 9826, kSyn);
  EXPECT_EQ(run(in).verdict, verdict_passed_not_ours);

  interface(kLoopback, director_);
  move_interface(kLoopback, XD_INTERFACE_PROBES - 1);
  interface(kLoopback + XD_INTERFACES, mac("02:00:00:00:00:01"));
  EXPECT_EQ(run(in).verdict, verdict_scheduled);
}

TEST_P(Forward, WhatIsNotTcpOrUdpIsTheKernels) {
  const auto lldp = frame_.ethertype(0x88cc, Bytes(60));
  EXPECT_LEFT(run(lldp), XDP_PASS, verdict_passed_not_ip, lldp);
  const auto icmp = frame_.ip(client_address_, vip_).icmp(8, 0);
  EXPECT_LEFT(run(icmp), XDP_PASS, verdict_passed_protocol, icmp);
}

TEST_P(Forward, OtherPortsAndAddressesAreTheKernels) {
  const auto ssh = tcp(40000, 22, kSyn);
  EXPECT_LEFT(run(ssh), XDP_PASS, verdict_passed_no_service, ssh);
  const auto udp_to_it = udp(40000, 9826);
  EXPECT_LEFT(run(udp_to_it), XDP_PASS, verdict_passed_no_service, udp_to_it);
  const auto own = frame_.ip(client_address_, host(244)).tcp(40000, 9826, kSyn);
  EXPECT_LEFT(run(own), XDP_PASS, verdict_passed_no_service, own);
}

TEST_P(Forward, EveryPrefixOfAPacketIsMalformedOrTooShortToKnow) {
  const auto in = frame_.vlan(100).ip(client_address_, vip_, ipv6() ? Bytes() : Bytes(8, 1)).tcp(40000, 9826, kSyn);
  for (size_t length = 14; length < in.bytes().size(); length++) {
    const auto prefix = in.cut(length);
    EXPECT_LEFT(run(prefix), XDP_PASS, verdict_passed_malformed, prefix);
  }
  EXPECT_EQ(run(in).action, XDP_TX);
  const auto datagram = udp(40000, 9826);
  const auto short_udp = datagram.cut(datagram.bytes().size() - 1);
  EXPECT_LEFT(run(short_udp), XDP_PASS, verdict_passed_malformed, short_udp);
}

TEST_P(Forward, ContradictoryHeadersAreMalformed) {
  const auto good = tcp(40000, 9826, kSyn);
  std::vector<Packet> all = {good.with_byte(good.ip_offset(), ipv6() ? 0x45 : 0x65)};  // the other family's version
  if (!ipv6()) {
    all.push_back(good.with_byte(good.ip_offset(), 0x44));             // a header shorter than it must be
    all.push_back(frame_.ip("0.0.0.0", vip_).tcp(40000, 9826, kSyn));  // nobody's
  }
  for (const auto& bad : all) EXPECT_LEFT(run(bad), XDP_PASS, verdict_passed_malformed, bad);
}

TEST_P(Forward, UnknownMacIsNeverSentTo) {
  slot(rest_.slots[0]).delivery = XD_UNKNOWN;
  const auto syn = tcp(40000, 9826, kSyn);
  EXPECT_LEFT(run(syn), XDP_DROP, verdict_dropped_no_mac, syn);
  EXPECT_TRUE(connections().empty());

  slot(rest_.slots[0]).delivery = XD_BY_MAC;
  run(syn);
  slot(rest_.slots[0]).delivery = XD_UNKNOWN;
  const auto ack = tcp(40000, 9826, kAck);
  EXPECT_LEFT(run(ack), XDP_DROP, verdict_dropped_no_mac, ack);
  EXPECT_EQ(stats(rest_.slots[0]).packets, 1U);
}

TEST_P(Forward, TablesThatContradictThemselvesAreCounted) {
  schedule(rest_, {0});  // no slot
  const auto in = tcp(40000, 9826, kSyn);
  EXPECT_LEFT(run(in), XDP_DROP, verdict_dropped_bad_table, in);
  schedule(rest_, {9});  // an unused one
  EXPECT_LEFT(run(in), XDP_DROP, verdict_dropped_bad_table, in);
  entry(rest_).cycle.offset = XD_SCHEDULE_SLOTS;
  EXPECT_LEFT(run(in), XDP_DROP, verdict_dropped_bad_table, in);
  EXPECT_TRUE(connections().empty());
}

// --- IPv4 only ---

class ForwardIpv4 : public Director {};

TEST_F(ForwardIpv4, OptionsAreLegal) {
  const RealServer real = this->real(34);
  virtual_server(vip_, 9826, kTcp, {real});
  for (const size_t length : {4U, 20U, 40U}) {
    const auto in = frame_.ip(client_address_, vip_, Bytes(length, 1)).tcp(1, 9826, kSyn);
    const auto out = run(in);
    EXPECT_EQ(out.action, XDP_TX) << length;
    EXPECT_PACKET(out, in.with_eth(director_, real.mac));
  }
  EXPECT_EQ(connections().size(), 1U);  // all of one connection: the ports were found behind the options
}

}  // namespace test
