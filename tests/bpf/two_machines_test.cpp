// SPDX-License-Identifier: Apache-2.0
// Directors that are real servers too: what the peer has sent here is delivered here, and "local" means the kernel.
#include "bpf/fixture.hpp"

namespace test {

class TwoMachines : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    rest_ = virtual_server(vip_, 9826, kTcp, {here_, there_});
    slot(rest_.slots[0]).delivery = XD_LOCAL;
  }

  const RealServer here_ = real(44);
  const RealServer there_ = real(45);
  const base::Mac peer_ = there_.mac;
  VirtualServer rest_;
};
INSTANTIATE_TEST_SUITE_P(Both, TwoMachines, kBothFamilies, family_name);

TEST_P(TwoMachines, TheDirectorsOwnShareIsDeliveredLocally) {
  schedule(rest_, {rest_.slots[0]});
  for (const auto flags : {kSyn, kAck}) {
    const auto in = tcp(40000, 9826, flags);
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_local, in);
  }
  EXPECT_EQ(only_connection().slot, rest_.slots[0]);
  EXPECT_EQ(only_connection().state, XD_YOUNG);
}

TEST_P(TwoMachines, ItIsCountedForTheRealServer) {
  schedule(rest_, {rest_.slots[0]});
  const auto syn = tcp(40000, 9826, kSyn), ack = tcp(40000, 9826, kAck);
  run(syn);
  run(ack);
  const auto stats = this->stats(rest_.slots[0]);
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.bytes, syn.bytes().size() + ack.bytes().size());
  EXPECT_EQ(stats.connections, 1U);
}

TEST_P(TwoMachines, BothGetTheirTurn) {
  int local = 0;
  for (uint16_t port = 1; port <= 6; port++) local += run(tcp(port, 9826, kSyn)).verdict == verdict_passed_local;
  EXPECT_EQ(local, 3);
}

TEST_P(TwoMachines, LaterFragmentsAreDeliveredWhereTheFirstWas) {
  schedule(rest_, {rest_.slots[0]});
  const auto begin = frame_.ip(client_address_, vip_);
  const auto first = begin.fragment({.more = true}).tcp(40000, 9826, kSyn).payload("1234");
  const auto later = begin.fragment({.offset = 3}).later(kTcp).payload("5678");
  EXPECT_LEFT(run(first), XDP_PASS, verdict_passed_local, first);
  EXPECT_LEFT(run(later), XDP_PASS, verdict_passed_local, later);
}

TEST_P(TwoMachines, WhatThePeerHasForwardedIsNeverForwardedAgain) {
  peer(peer_);
  for (const auto flags : {kSyn, kAck}) {
    const auto in = tcp(40000, 9826, flags).with_eth(peer_, director_);
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_peer, in);
  }
  EXPECT_TRUE(connections().empty());
}

TEST_P(TwoMachines, NotEvenOfAKnownConnection) {
  peer(peer_);
  schedule(rest_, {rest_.slots[1]});
  run(tcp(40000, 9826, kSyn));  // it was the MASTER then
  const auto in = tcp(40000, 9826, kAck).with_eth(peer_, director_);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_peer, in);
}

TEST_P(TwoMachines, EveryPeerIsKnown) {
  std::vector<base::Mac> peers;
  for (int i = 0; i < XD_MAX_PEERS; i++) peers.push_back(real(60 + i).mac);
  for (const auto& mac : peers) peer(mac);
  for (const auto& mac : peers) {
    EXPECT_EQ(run(tcp(40000, 9826, kSyn).with_eth(mac, director_)).verdict, verdict_passed_peer);
  }
  EXPECT_NE(run(tcp(40000, 9826, kSyn)).verdict, verdict_passed_peer);
  EXPECT_NE(run(tcp(40000, 9826, kSyn).with_eth(base::Mac(), director_)).verdict, verdict_passed_peer);
}

TEST_P(TwoMachines, APeersFrameToAnotherMacIsNotOurs) {
  peer(peer_);
  const auto in = tcp(40000, 9826, kSyn).with_eth(peer_, client_);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_not_ours, in);
}

}  // namespace test
