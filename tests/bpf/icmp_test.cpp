// SPDX-License-Identifier: Apache-2.0
// An ICMP error about a connection goes to the real server that holds it, and changes nothing. It quotes a packet that
// the real server has sent: from the virtual address to the client.
#include "bpf/fixture.hpp"

namespace test {
namespace {

// Type and code, of IPv4 or of IPv6.
struct Message {
  uint8_t type, code;
};

constexpr size_t kHeadersOfTcp = 8;  // of its header a router quotes eight bytes at least

}  // namespace

class IcmpError : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    rest_ = virtual_server(vip_, 9826, kTcp, {one_, two_});
    dns_ = virtual_server(vip_, 53, kUdp, {real(36), real(37)});
  }

  // All that are errors: unreachable (too big, of IPv4, among them), ..., time exceeded, parameter problem.
  std::vector<Message> errors() const {
    return ipv6() ? std::vector<Message>{{1, 4}, {2, 0}, {3, 0}, {4, 1}}
                  : std::vector<Message>{{3, 4}, {3, 1}, {4, 0}, {11, 0}, {12, 0}};
  }
  Message too_big() const { return ipv6() ? Message{2, 0} : Message{3, 4}; }

  Packet answer() const { return frame_.ip(vip_, client_address_); }  // what a real server has sent
  Packet about(const Packet& sent, std::optional<Message> message = std::nullopt) const {
    const auto [type, code] = message.value_or(too_big());
    return router().icmp(type, code).quote(sent, sent.bytes().size() - sent.ip_offset());
  }
  Packet router() const { return frame_.ip(host(1, 7), vip_); }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer rest_, dns_;
};
INSTANTIATE_TEST_SUITE_P(Both, IcmpError, kBothFamilies, family_name);

TEST_P(IcmpError, EachKindFollowsTheConnection) {
  for (uint16_t port = 40000; port < 40004; port++) {
    const auto server = slot_of(run(tcp(port, 9826, kSyn)));
    for (const auto& message : errors()) {
      const auto in = about(answer().tcp(9826, port, kAck), message);
      EXPECT_SENT(run(in), verdict_forwarded, in.with_eth(director_, (server == rest_.slots[0] ? one_ : two_).mac));
    }
  }
}

TEST_P(IcmpError, OfDatagramsToo) {
  run(udp(39999, 53));
  const auto server = slot_of(run(udp(40000, 53)));
  EXPECT_EQ(slot_of(run(about(answer().udp(53, 40000)))), server);
  EXPECT_EQ(server, dns_.slots[1]);
}

TEST_P(IcmpError, EightBytesOfTheQuotedHeaderAreEnough) {
  run(tcp(40000, 9826, kSyn));
  const auto sent = answer().tcp(9826, 40000, kAck);
  const size_t enough = sent.transport_offset() - sent.ip_offset() + kHeadersOfTcp;
  EXPECT_EQ(run(router().icmp(too_big().type, too_big().code).quote(sent, enough)).verdict, verdict_forwarded);
}

TEST_P(IcmpError, WithoutTheQuotedPortsItIsTheKernels) {
  run(tcp(40000, 9826, kSyn));
  const auto sent = answer().tcp(9826, 40000, kAck);
  const size_t ports_end = sent.transport_offset() - sent.ip_offset() + 4;
  for (size_t bytes = 0; bytes < ports_end; bytes++) {
    const auto in = router().icmp(too_big().type, too_big().code).quote(sent, bytes);
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
  }
}

TEST_P(IcmpError, ChangesNothing) {
  run(tcp(40000, 9826, kSyn));
  run(tcp(40000, 9826, kAck));
  pass_ticks(5);
  const auto before = only_connection();
  run(about(answer().tcp(9826, 40000, kAck)));
  const auto after = only_connection();
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.tick, before.tick);
}

TEST_P(IcmpError, WithoutAnEntryItGoesByTheHashAndIsNotLearned) {
  const auto in = about(answer().tcp(9826, 40000, kAck));
  const auto out = run(in);
  EXPECT_EQ(out.verdict, verdict_hashed);
  EXPECT_TRUE(connections().empty());
  EXPECT_EQ(slot_of(run(tcp(40000, 9826, kAck))), slot_of(out));  // where the connection's own packets go
}

TEST_P(IcmpError, ADatagramsErrorTakesNobodysTurn) {
  EXPECT_EQ(run(about(answer().udp(53, 40000))).verdict, verdict_hashed);
  EXPECT_EQ(entry(dns_).position, 0U);
  EXPECT_TRUE(connections().empty());
}

TEST_P(IcmpError, FollowsTheTemplateOfItsClientAndWritesNone) {
  persist(rest_, 300);
  EXPECT_EQ(run(about(answer().tcp(9826, 40000, kAck))).verdict, verdict_hashed);
  EXPECT_FALSE(client_template(client_address_, rest_));
  schedule(rest_, {rest_.slots[1]});
  run(tcp(40000, 9826, kSyn));
  schedule(rest_, {rest_.slots[0]});
  clear_connections();
  const auto out = run(about(answer().tcp(9826, 40000, kAck)));
  EXPECT_EQ(out.verdict, verdict_persisted);
  EXPECT_EQ(slot_of(out), rest_.slots[1]);
}

TEST_P(IcmpError, QuotesThatAreNotOfTheVirtualAddressAreTheKernels) {
  run(tcp(40000, 9826, kSyn));
  for (const auto& from : {host(112), client_address_}) {  // the outer address is the virtual one
    const auto in = about(frame_.ip(from, client_address_).tcp(9826, 40000, kAck));
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
  }
}

TEST_P(IcmpError, OfAPortWithoutAVirtualServerItIsTheKernels) {
  const auto in = about(answer().tcp(22, 40000, kAck));
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_no_service, in);
}

TEST_P(IcmpError, ToAnAddressWithoutVirtualServersItIsTheKernels) {
  const auto in = frame_.ip(host(1, 7), host(244))
                      .icmp(too_big().type, too_big().code)
                      .quote(frame_.ip(host(244), client_address_).tcp(9826, 40000, kAck), 28);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_no_service, in);
}

TEST_P(IcmpError, QuotesOfOtherProtocolsAreTheKernels) {
  const auto in = about(answer().icmp(ipv6() ? 129 : 0, 0));
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
}

TEST_P(IcmpError, AQuotedFirstFragmentHasThePorts) {
  run(tcp(40000, 9826, kSyn));
  EXPECT_EQ(run(about(answer().fragment({.more = true}).tcp(9826, 40000, kAck))).verdict, verdict_forwarded);
}

TEST_P(IcmpError, AQuotedLaterFragmentIsTheKernels) {
  run(tcp(40000, 9826, kSyn));
  const auto in = about(answer().fragment({.offset = 100}).tcp(9826, 40000, kAck));  // its first bytes are no ports
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
}

TEST_P(IcmpError, WhatIsNoErrorIsTheKernels) {
  const auto quoted = answer().tcp(9826, 40000, kAck);
  const std::vector<Message> others = ipv6()
                                          ? std::vector<Message>{{0, 0}, {5, 0}, {127, 0}, {128, 0}, {129, 0}, {137, 0}}
                                          : std::vector<Message>{{0, 0}, {5, 0}, {8, 0}, {13, 0}};
  for (const auto& message : others) {
    const auto in = about(quoted, message);
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
  }
}

TEST_P(IcmpError, OfAFailedRealServersConnectionGoesByTheHash) {
  schedule(rest_, {rest_.slots[0]});
  run(tcp(40000, 9826, kSyn));
  slot(rest_.slots[0]).state = XD_FAILED;
  schedule(rest_, {rest_.slots[1]});
  const auto turns = entry(rest_).position;
  const auto out = run(about(answer().tcp(9826, 40000, kAck)));
  EXPECT_EQ(out.verdict, verdict_hashed);
  EXPECT_EQ(slot_of(out), rest_.slots[1]);
  EXPECT_EQ(entry(rest_).position, turns);
  EXPECT_EQ(only_connection().slot, rest_.slots[0]);
}

TEST_P(IcmpError, BehindTagsAndQuotedOptionsItIsRead) {
  run(tcp(40000, 9826, kSyn));
  const auto sent =
      ipv6() ? answer().tcp(9826, 40000, kAck) : frame_.ip(vip_, client_address_, Bytes(12, 1)).tcp(9826, 40000, kAck);
  const auto in = frame_.vlan(7)
                      .ip(host(1, 7), vip_)
                      .icmp(too_big().type, too_big().code)
                      .quote(sent, sent.bytes().size() - sent.ip_offset());
  EXPECT_SENT(run(in), verdict_forwarded, in.with_eth(director_, one_.mac));
}

}  // namespace test
