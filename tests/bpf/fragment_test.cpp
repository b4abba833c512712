// SPDX-License-Identifier: Apache-2.0
// Fragments follow the first of their datagram, which has the ports.
#include "bpf/fixture.hpp"

namespace test {

class Fragments : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    dns_ = virtual_server(vip_, 53, kUdp, {one_, two_});
    rest_ = virtual_server(vip_, 53, kTcp, {one_, two_});
  }

  Packet first(uint32_t id, uint16_t client_port, uint8_t protocol = kUdp) const {
    const auto piece = frame_.ip(client_address_, vip_).fragment({.more = true, .id = id});
    return (protocol == kUdp ? piece.udp(client_port, 53) : piece.tcp(client_port, 53, kSyn))
        .payload(std::string(64, 'x'));
  }
  Packet later(uint32_t id, uint16_t offset, bool more = false, uint8_t protocol = kUdp) const {
    return frame_.ip(client_address_, vip_)
        .fragment({.offset = offset, .more = more, .id = id})
        .later(protocol)
        .payload("y");
  }
  const base::Mac& mac_of(uint16_t slot) const {
    return slot == dns_.slots[0] || slot == rest_.slots[0] ? one_.mac : two_.mac;
  }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer dns_, rest_;
};
INSTANTIATE_TEST_SUITE_P(Both, Fragments, kBothFamilies, family_name);

TEST_P(Fragments, LaterOnesFollowTheFirst) {
  for (const uint8_t protocol : {kUdp, kTcp}) {
    for (uint32_t id = 1; id < 5; id++) {
      const auto in = first(id, static_cast<uint16_t>(40000 + id), protocol);
      const auto out = run(in);
      EXPECT_EQ(out.verdict, verdict_scheduled);
      const auto server = slot_of(out);
      for (const auto& next : {later(id, 9, true, protocol), later(id, 10, false, protocol)}) {
        EXPECT_SENT(run(next), verdict_followed, next.with_eth(director_, mac_of(server)));
      }
    }
  }
}

TEST_P(Fragments, OfAKnownConnectionToo) {
  run(udp(39999, 53));
  const auto server = slot_of(run(udp(40000, 53)));
  EXPECT_EQ(run(first(7, 40000)).verdict, verdict_forwarded);
  EXPECT_EQ(slot_of(run(later(7, 9))), server);
  EXPECT_EQ(server, dns_.slots[1]);
}

TEST_P(Fragments, TheyAreCountedForTheRealServerButAreNoConnections) {
  const auto one = first(1, 40000), two = later(1, 9);
  const auto server = slot_of(run(one));
  run(two);
  EXPECT_EQ(stats(server).packets, 2U);
  EXPECT_EQ(stats(server).bytes, one.bytes().size() + two.bytes().size());
  EXPECT_EQ(stats(server).connections, 1U);
}

TEST_P(Fragments, BeforeTheFirstTheyAreTheKernels) {
  const auto early = later(1, 9);
  EXPECT_LEFT(run(early), XDP_PASS, verdict_passed_fragment, early);
  run(first(1, 40000));
  EXPECT_EQ(run(early).verdict, verdict_followed);
}

TEST_P(Fragments, WhatALaterOneBeginsWithIsNotTakenForPorts) {
  const auto in = frame_.ip(client_address_, vip_).fragment({.offset = 9}).udp(40000, 53);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_fragment, in);
  EXPECT_TRUE(connections().empty());
}

TEST_P(Fragments, DatagramsAreToldApart) {
  run(first(1, 40000));
  const auto other_id = later(2, 9);
  EXPECT_LEFT(run(other_id), XDP_PASS, verdict_passed_fragment, other_id);
  const auto other_client = frame_.ip(host(32), vip_).fragment({.offset = 9, .id = 1}).later(kUdp).payload("y");
  EXPECT_LEFT(run(other_client), XDP_PASS, verdict_passed_fragment, other_client);
  let_through(host(112));
  const auto elsewhere = frame_.ip(client_address_, host(112)).fragment({.offset = 9, .id = 1}).later(kUdp);
  EXPECT_LEFT(run(elsewhere), XDP_PASS, verdict_passed_fragment, elsewhere);
}

TEST_P(Fragments, ProtocolsAreToldApartWhereTheIdentificationDoesNot) {
  run(first(1, 40000, kTcp));
  // RFC 791: protocol and identification; RFC 8200, 4.5: the identification alone.
  EXPECT_EQ(run(later(1, 9, false, kUdp)).verdict, ipv6() ? verdict_followed : verdict_passed_fragment);
}

TEST_P(Fragments, IdentificationsAreComparedInFull) {
  run(first(0x00010001, 40000));
  EXPECT_EQ(run(later(0x00010001, 9)).verdict, verdict_followed);
  EXPECT_EQ(run(later(0x00010101, 9)).verdict, verdict_passed_fragment);
  EXPECT_EQ(run(later(0x00020001, 9)).verdict, ipv6() ? verdict_passed_fragment : verdict_followed);  // 32 bits, or 16
}

TEST_P(Fragments, TheFirstIsForgottenAfterAWhile) {
  run(first(1, 40000));
  pass_ticks(XD_FRAGMENT_SECONDS);
  EXPECT_EQ(run(later(1, 9)).verdict, verdict_followed);
  pass_ticks(1);
  const auto late = later(1, 9);
  EXPECT_LEFT(run(late), XDP_PASS, verdict_passed_fragment, late);
}

TEST_P(Fragments, AReusedIdentificationFollowsTheNewFirst) {
  const auto one = slot_of(run(first(1, 40000)));
  const auto two = slot_of(run(first(1, 40001)));
  EXPECT_NE(one, two);
  EXPECT_EQ(slot_of(run(later(1, 9))), two);
}

TEST_P(Fragments, OfAPortThatIsTheKernelsAllOfThemAre) {
  const auto syslog = frame_.ip(client_address_, vip_).fragment({.more = true, .id = 1}).udp(40000, 514);
  EXPECT_LEFT(run(syslog), XDP_PASS, verdict_passed_no_service, syslog);
  const auto rest = later(1, 9);
  EXPECT_LEFT(run(rest), XDP_PASS, verdict_passed_fragment, rest);
}

TEST_P(Fragments, OfOtherProtocolsTheyAreTheKernels) {
  const auto echo = frame_.ip(client_address_, vip_).fragment({.more = true}).icmp(ipv6() ? 128 : 8, 0);
  EXPECT_LEFT(run(echo), XDP_PASS, verdict_passed_protocol, echo);
}

TEST_P(Fragments, WhenTheRealServerHasNoMacTheyAreDropped) {
  const auto server = slot_of(run(first(1, 40000)));
  slot(server).delivery = XD_UNKNOWN;
  const auto rest = later(1, 9);
  EXPECT_LEFT(run(rest), XDP_DROP, verdict_dropped_no_mac, rest);
}

TEST_P(Fragments, AFirstOneTooShortForItsPortsIsMalformed) {
  const auto in = frame_.ip(client_address_, vip_).fragment({.more = true}).later(kUdp).payload("1234567");
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_malformed, in);
}

TEST_P(Fragments, AWholeDatagramThatSaysSoIsNone) {
  // IPv4 with "do not fragment"; IPv6 as an atomic fragment (RFC 6946): neither more nor an offset.
  const auto whole = ipv6() ? frame_.ip(client_address_, vip_).fragment({.id = 1}).udp(40000, 53)
                            : frame_.ip(client_address_, vip_).fragment({.offset = 0x4000, .id = 1}).udp(40000, 53);
  EXPECT_EQ(run(whole).verdict, verdict_scheduled);
  EXPECT_EQ(run(later(1, 9)).verdict, verdict_passed_fragment);
}

}  // namespace test
