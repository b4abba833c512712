// SPDX-License-Identifier: Apache-2.0
// IPv6 extension headers are walked, up to a bound.
#include "bpf/fixture.hpp"

namespace test {

class Extensions : public Director {
 protected:
  static constexpr size_t kMost = 4;  // MAX_EXTENSION_HEADERS of bpf/unusual.h

  Extensions() : Director(Family::Ipv6) {}
  void SetUp() override {
    Director::SetUp();
    if (ready()) rest_ = virtual_server(vip_, 9826, kTcp, {real_});
  }
  Packet begin() const { return frame_.ip(client_address_, vip_); }

  const RealServer real_ = real(34);
  VirtualServer rest_;
};

TEST_F(Extensions, EachKindIsLookedThrough) {
  for (const auto kind : {kHopByHop, kRouting, kDestinationOptions}) {
    for (const size_t more_units : {0U, 1U, 7U, 100U}) {
      clear_connections();
      const auto in = begin().extension(kind, more_units).tcp(40000, 9826, kSyn);
      EXPECT_SENT(run(in), verdict_scheduled, in.with_eth(director_, real_.mac));
    }
  }
}

TEST_F(Extensions, AConnectionIsTheSameWithAndWithoutThem) {
  run(tcp(40000, 9826, kSyn));
  const auto in = begin().extension(kDestinationOptions).tcp(40000, 9826, kAck);
  EXPECT_SENT(run(in), verdict_forwarded, in.with_eth(director_, real_.mac));
  EXPECT_EQ(connections().size(), 1U);
}

TEST_F(Extensions, AreWalkedUpToTheBound) {
  auto in = begin();
  for (size_t i = 0; i < kMost; i++) in = in.extension(kDestinationOptions, i);
  EXPECT_EQ(run(in.tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
  const auto beyond = in.extension(kDestinationOptions).tcp(40001, 9826, kSyn);
  EXPECT_LEFT(run(beyond), XDP_PASS, verdict_passed_protocol, beyond);
}

TEST_F(Extensions, OthersAreTheKernels) {
  const auto in = begin().extension(kAuthentication).tcp(40000, 9826, kSyn);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_protocol, in);
}

TEST_F(Extensions, EveryPrefixIsTheKernels) {
  const auto in = begin().extension(kHopByHop, 1).extension(kRouting).tcp(40000, 9826, kSyn);
  for (size_t length = 14; length < in.bytes().size(); length++) {
    const auto prefix = in.cut(length);
    const auto out = run(prefix);
    EXPECT_EQ(out.action, XDP_PASS) << length;
    EXPECT_PACKET(out, prefix);
  }
}

TEST_F(Extensions, ALengthBeyondTheFrameIsTheKernels) {
  const auto good = begin().extension(kDestinationOptions).tcp(40000, 9826, kSyn);
  const auto bad = good.with_byte(good.ip_offset() + 40 + 1, 255);
  EXPECT_LEFT(run(bad), XDP_PASS, verdict_passed_malformed, bad);
}

TEST_F(Extensions, BeforeAndAfterAFragmentHeader) {
  const auto first =
      begin().extension(kHopByHop).fragment({.more = true}).extension(kDestinationOptions).tcp(40000, 9826, kSyn);
  EXPECT_SENT(run(first), verdict_scheduled, first.with_eth(director_, real_.mac));
  const auto later = begin().extension(kHopByHop).fragment({.offset = 9}).later(kDestinationOptions).payload("rest");
  EXPECT_SENT(run(later), verdict_followed, later.with_eth(director_, real_.mac));
}

TEST_F(Extensions, AnIcmpErrorBehindThemIsRead) {
  run(tcp(40000, 9826, kSyn));
  const auto sent = frame_.ip(vip_, client_address_).tcp(9826, 40000, kAck);
  const auto in = frame_.ip(host(1, 7), vip_)
                      .extension(kDestinationOptions)
                      .icmp(2, 0)
                      .quote(sent, sent.bytes().size() - sent.ip_offset());
  EXPECT_SENT(run(in), verdict_forwarded, in.with_eth(director_, real_.mac));
}

}  // namespace test
