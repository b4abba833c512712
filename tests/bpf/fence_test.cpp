// SPDX-License-Identifier: Apache-2.0
// A node whose mastership has run out answers no ARP request for the virtual address.
#include "bpf/fixture.hpp"

namespace test {

class Fence : public Director {
 protected:
  static constexpr int64_t kSecond = 1'000'000'000;
  Packet who_has(std::string_view target) const {
    return eth(client_, base::kBroadcastMac).arp(1, client_, client_address_, target);
  }
};

TEST_F(Fence, DropsRequestsWhenTheLeaseHasRunOut) {
  lease(host(110), kSecond * 3600);
  lease(vip_, -kSecond);
  EXPECT_LEFT(run(who_has(vip_)), XDP_DROP, verdict_dropped_fenced, who_has(vip_));
}

TEST_F(Fence, DropsThemForAnyDestinationMacAndBehindTags) {
  lease(vip_, -kSecond);
  for (const auto& to : {director_, mac("02:00:00:00:09:99")}) {
    const auto unicast = who_has(vip_).with_eth(client_, to);
    EXPECT_LEFT(run(unicast), XDP_DROP, verdict_dropped_fenced, unicast);
  }
  const auto tagged = eth(client_, base::kBroadcastMac).vlan(100).arp(1, client_, client_address_, vip_);
  EXPECT_LEFT(run(tagged), XDP_DROP, verdict_dropped_fenced, tagged);
  const auto twice = eth(client_, base::kBroadcastMac).vlan(1).vlan(2).arp(1, client_, client_address_, vip_);
  EXPECT_LEFT(run(twice), XDP_DROP, verdict_dropped_fenced, twice);
}

TEST_F(Fence, PassesRequestsWhileTheLeaseRuns) {
  lease(vip_, kSecond * 3600);
  EXPECT_LEFT(run(who_has(vip_)), XDP_PASS, verdict_passed_not_ip, who_has(vip_));
}

TEST_F(Fence, AnAddressWithoutALeaseIsNotFenced) {
  lease(host(110), -kSecond);
  EXPECT_EQ(run(who_has(vip_)).action, XDP_PASS);
  EXPECT_EQ(run(who_has("0.0.0.0")).action, XDP_PASS);  // as an unused entry would be
}

TEST_F(Fence, EveryEntryIsSearched) {
  for (uint32_t i = 0; i < XD_MAX_LEASES - 1; i++) lease(base::Ipv4::from_host(0x0a000001 + i).str(), kSecond * 3600);
  lease(vip_, -kSecond);
  EXPECT_EQ(run(who_has(vip_)).verdict, verdict_dropped_fenced);
}

TEST_F(Fence, RepliesAndWhatIsCutShortPass) {
  lease(vip_, -kSecond);
  const auto reply = eth(client_, director_).arp(2, client_, client_address_, vip_);
  EXPECT_LEFT(run(reply), XDP_PASS, verdict_passed_not_ip, reply);
  const auto cut = who_has(vip_).cut(who_has(vip_).bytes().size() - 1);
  EXPECT_LEFT(run(cut), XDP_PASS, verdict_passed_not_ip, cut);
}

TEST_F(Fence, ClientPacketsAreForwardedAllTheSame) {
  lease(vip_, -kSecond);
  virtual_server(vip_, 9826, kTcp, {real(34)});
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
}

}  // namespace test
