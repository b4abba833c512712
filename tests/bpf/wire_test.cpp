// SPDX-License-Identifier: Apache-2.0
// VRRP is noted as it arrives, and passed: who advertises which virtual router, whatever a firewall does with it later.
#include "bpf/fixture.hpp"

namespace test {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Wire : public EachFamily {
 protected:
  const Packet to_group_ = eth(mac("02:00:00:00:01:45"), mac(ipv6() ? "33:33:00:00:00:12" : "01:00:5e:00:00:12"));
  const std::string group_ = ipv6() ? "ff02::12" : "224.0.0.18";
  const std::string peer_ = ipv6() ? "fe80::145" : "192.168.100.145";

  Packet advert(uint8_t virtual_router_id, uint8_t priority, std::string_view sender) const {
    return to_group_.ip(sender, group_).vrrp(3, virtual_router_id, priority);
  }
};
INSTANTIATE_TEST_SUITE_P(Both, Wire, kBothFamilies, family_name);

TEST_P(Wire, AnAdvertisementIsNotedAndPassed) {
  const Packet first = advert(100, 50, peer_), second = advert(100, 0, peer_);
  EXPECT_LEFT(run(first), XDP_PASS, verdict_passed_not_ours, first);
  EXPECT_THAT(vrrp_seen(), ElementsAre(VrrpSeen{peer_, 100, 3, 50, 1, {}}));
  run(second);
  EXPECT_THAT(vrrp_seen(), ElementsAre(VrrpSeen{peer_, 100, 3, 0, 2, {}}));
}

TEST_P(Wire, EverySenderAndEveryRouterByItself) {
  const std::string other = ipv6() ? "fe80::9" : "192.168.100.9";
  for (const Packet& packet : {advert(100, 50, peer_), advert(51, 200, other), advert(52, 1, peer_)}) run(packet);
  EXPECT_THAT(vrrp_seen(), SizeIs(3));
}

TEST_P(Wire, AlsoToOneAddressAndBehindTags) {
  run(frame_.ip(peer_, host(244)).vrrp(2, 100, 50));
  run(eth(client_, director_).vlan(7).ip(peer_, group_).vrrp(2, 100, 51));
  run(eth(client_, director_).vlan(7).vlan(8).ip(peer_, group_).vrrp(2, 100, 52));
  let_through(vip_);
  run(frame_.ip(peer_, vip_).vrrp(2, 101, 53));
  EXPECT_THAT(vrrp_seen(), testing::UnorderedElementsAre(
                               VrrpSeen{peer_, 100, 2, 50, 1, {}}, VrrpSeen{peer_, 100, 2, 51, 1, {7}},
                               VrrpSeen{peer_, 100, 2, 52, 1, {7, 8}}, VrrpSeen{peer_, 101, 2, 53, 1, {}}));
}

TEST_P(Wire, WhatIsNoVrrpIsNotNoted) {
  const Packet whole = advert(100, 50, peer_);
  run(whole.cut(whole.bytes().size() - 1));
  run(to_group_.ip(peer_, group_).udp(112, 112));
  run(tcp(40000, 22, kSyn));
  EXPECT_THAT(vrrp_seen(), IsEmpty());
}

TEST_P(Wire, AFloodForgetsWhoWasSilentLongest) {
  for (int i = 0; i < 3 * XD_MAX_VRRP_SEEN; i++) {
    run(advert(static_cast<uint8_t>(i), 1, host(i % 250, i / 250)));
    if (i % 16 == 0) run(advert(100, 50, peer_));
  }
  EXPECT_LE(vrrp_seen().size(), static_cast<size_t>(XD_MAX_VRRP_SEEN));
  EXPECT_THAT(vrrp_seen(), testing::Contains(testing::Field(&VrrpSeen::sender, peer_)));
}

}  // namespace test
