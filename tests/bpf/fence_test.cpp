// SPDX-License-Identifier: Apache-2.0
// A node whose mastership has run out answers no question for the virtual address: ARP requests, and the neighbour
// solicitations of IPv6.
#include "bpf/fixture.hpp"

namespace test {

class Fence : public EachFamily {
 protected:
  static constexpr int64_t kSecond = 1'000'000'000;
  const base::Mac everybody_ = ipv6() ? mac("33:33:ff:00:01:11") : base::kBroadcastMac;

  Packet asked(const Packet& frame, std::string_view target) const {
    return ipv6() ? frame.ip(client_address_, "ff02::1:ff00:111").solicitation(target)
                  : frame.arp(1, client_, client_address_, target);
  }
  Packet who_has(std::string_view target) const { return asked(eth(client_, everybody_), target); }

  // What a question is that nobody is kept from answering.
  const xd_verdict passed_ = ipv6() ? verdict_passed_not_ours : verdict_passed_not_ip;
};
INSTANTIATE_TEST_SUITE_P(Both, Fence, kBothFamilies, family_name);

TEST_P(Fence, DropsRequestsWhenTheLeaseHasRunOut) {
  lease(host(110), kSecond * 3600);
  lease(vip_, -kSecond);
  EXPECT_LEFT(run(who_has(vip_)), XDP_DROP, verdict_dropped_fenced, who_has(vip_));
}

TEST_P(Fence, DropsThemForAnyDestinationMacAndBehindTags) {
  lease(vip_, -kSecond);
  for (const auto& to : {director_, mac("02:00:00:00:09:99")}) {
    const auto unicast = who_has(vip_).with_eth(client_, to);
    EXPECT_LEFT(run(unicast), XDP_DROP, verdict_dropped_fenced, unicast);
  }
  const auto tagged = asked(eth(client_, everybody_).vlan(100), vip_);
  EXPECT_LEFT(run(tagged), XDP_DROP, verdict_dropped_fenced, tagged);
  const auto twice = asked(eth(client_, everybody_).vlan(1).vlan(2), vip_);
  EXPECT_LEFT(run(twice), XDP_DROP, verdict_dropped_fenced, twice);
}

TEST_P(Fence, PassesRequestsWhileTheLeaseRuns) {
  lease(vip_, kSecond * 3600);
  EXPECT_LEFT(run(who_has(vip_)), XDP_PASS, passed_, who_has(vip_));
}

TEST_P(Fence, AnAddressWithoutALeaseIsNotFenced) {
  lease(host(110), -kSecond);
  EXPECT_EQ(run(who_has(vip_)).action, XDP_PASS);
  EXPECT_EQ(run(who_has(ipv6() ? "::" : "0.0.0.0")).action, XDP_PASS);  // as an unused entry would be
}

TEST_P(Fence, EveryEntryIsSearched) {
  for (int i = 0; i < XD_MAX_LEASES - 1; i++) lease(host(i % 250, 1 + i / 250), kSecond * 3600);
  lease(vip_, -kSecond);
  EXPECT_EQ(run(who_has(vip_)).verdict, verdict_dropped_fenced);
}

TEST_P(Fence, WhatIsCutShortPasses) {
  lease(vip_, -kSecond);
  const auto cut = who_has(vip_).cut(who_has(vip_).bytes().size() - 1);
  EXPECT_LEFT(run(cut), XDP_PASS, passed_, cut);
}

TEST_P(Fence, AnswersPass) {
  lease(vip_, -kSecond);
  constexpr size_t kTypeOfIcmp6 = 14 + 40;
  const auto answer = ipv6() ? who_has(vip_).with_byte(kTypeOfIcmp6, 136)
                             : eth(client_, director_).arp(2, client_, client_address_, vip_);
  EXPECT_LEFT(run(answer), XDP_PASS, passed_, answer);
}

// A handover waits for it.
TEST_P(Fence, AnotherRoutersGratuitousArpPasses) {
  if (ipv6()) GTEST_SKIP() << "that is an advertisement, as above";
  lease(vip_, -kSecond);
  const auto gratuitous = eth(client_, everybody_).arp(1, client_, vip_, vip_);
  EXPECT_LEFT(run(gratuitous), XDP_PASS, passed_, gratuitous);
}

TEST_P(Fence, ClientPacketsAreForwardedAllTheSame) {
  lease(vip_, -kSecond);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
}

}  // namespace test
