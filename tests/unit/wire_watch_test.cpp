// SPDX-License-Identifier: Apache-2.0
// What arrives by the wire and what the worker hears, second by second.
#include "control/wire_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

// VI_1 on enp1s0, VRID 100, advert_int 1; a peer that advertises every second.
class WireWatchTest : public testing::Test {
 protected:
  WireWatchTest() { instances_[0].virtual_addresses = {ip("192.168.100.111")}; }

  // Seconds go by in which the peer advertises, and the worker hears it or not.
  void pass(int seconds, bool heard) {
    for (int i = 0; i < seconds; ++i) {
      now_ = now_ + std::chrono::seconds(1);
      peer_.at = now_ - std::chrono::milliseconds(300);
      if (heard) ++reports_["VI_1"].adverts_received;
      look({peer_});
    }
  }
  void look(const std::vector<WireRouter>& seen) { watch_.look(instances_, reports_, seen, now_); }
  bool problem() const { return watch_.problem("VI_1").has_value(); }

  std::vector<model::VrrpInstance> instances_ = {{.name = "VI_1", .interface = "enp1s0", .virtual_router_id = 100}};
  std::map<std::string, ipc::VrrpReport> reports_ = {{"VI_1", {.state = ipc::VrrpState::backup}}};
  WireRouter peer_{.interface = "enp1s0", .sender = ip("192.168.100.145"), .virtual_router_id = 100, .priority = 50};
  base::Time now_{1'000'000'000'000};
  WireWatch watch_;
};

}  // namespace

TEST_F(WireWatchTest, WhatIsHeardIsNoProblem) {
  pass(60, true);
  EXPECT_FALSE(problem());
  EXPECT_THAT(watch_.take_news(), IsEmpty());
  EXPECT_THAT(watch_.others(), IsEmpty());
}

TEST_F(WireWatchTest, WhatArrivesButIsNotHeardIs) {
  pass(10, true);
  pass(6, false);
  EXPECT_FALSE(problem()) << "three intervals, and what reports may lag";
  pass(1, false);
  ASSERT_TRUE(problem());
  const ipc::VrrpProblem problem = *watch_.problem("VI_1");
  EXPECT_EQ(problem.kind, "not_received");
  EXPECT_EQ(problem.peer, ip("192.168.100.145"));
  EXPECT_THAT(problem.text, HasSubstr("from 192.168.100.145 arrive on enp1s0 but do not reach the VRRP process"));
}

TEST_F(WireWatchTest, TheFirstAfterALongSilenceIsGivenTime) {
  for (int i = 0; i < 60; ++i) {
    now_ = now_ + std::chrono::seconds(1);
    look({});
  }
  pass(1, false);
  EXPECT_FALSE(problem()) << "the worker has not reported yet";
  pass(20, true);
  EXPECT_FALSE(problem());
}

TEST_F(WireWatchTest, FromTheBeginningToo) {
  reports_["VI_1"].state = ipc::VrrpState::master;
  pass(8, false);
  EXPECT_TRUE(problem());
}

TEST_F(WireWatchTest, ItEndsWhenTheyAreHeardOrNoMoreCome) {
  pass(10, false);
  ASSERT_TRUE(problem());
  pass(1, true);
  EXPECT_FALSE(problem());
  pass(10, false);
  ASSERT_TRUE(problem());
  now_ = now_ + std::chrono::seconds(6);
  look({peer_});
  EXPECT_FALSE(problem());
}

TEST_F(WireWatchTest, RejectedOnesAreHeard) {
  for (int i = 0; i < 20; ++i) {
    ++reports_["VI_1"].adverts_rejected;
    pass(1, false);
  }
  EXPECT_FALSE(problem());
}

TEST_F(WireWatchTest, AnInstanceThatDoesNotListenMissesNothing) {
  for (const ipc::VrrpState state : {ipc::VrrpState::fault, ipc::VrrpState::init}) {
    reports_["VI_1"].state = state;
    pass(10, false);
    EXPECT_FALSE(problem());
  }
  reports_["VI_1"].state = ipc::VrrpState::backup;
  pass(4, false);
  EXPECT_FALSE(problem()) << "it has only begun";
  reports_.clear();
  pass(10, false);
  EXPECT_FALSE(problem()) << "there is no worker";
}

TEST_F(WireWatchTest, IsLoggedOnceInAWhile) {
  pass(30, false);
  EXPECT_THAT(watch_.take_news(), ElementsAre(HasSubstr("VI_1: advertisements from")));
  pass(1, true);
  pass(30, false);
  EXPECT_THAT(watch_.take_news(), IsEmpty());
  pass(600, false);
  EXPECT_THAT(watch_.take_news(), SizeIs(1));
}

TEST_F(WireWatchTest, AUnicastInstanceHearsItsPeersOnly) {
  instances_[0].unicast_peers = {model::UnicastPeer{.address = ip("192.168.100.9")}};
  pass(10, false);
  EXPECT_FALSE(problem());
  peer_.sender = ip("192.168.100.9");
  pass(10, false);
  EXPECT_TRUE(problem());
}

TEST_F(WireWatchTest, OtherRoutersAreTold) {
  WireRouter other = peer_, other_interface = peer_, other_family = peer_;
  other.virtual_router_id = 51;
  other_interface.interface = "eth1";
  other_family.sender = ip("fe80::1");
  other.at = now_;
  other_interface.at = now_ - std::chrono::seconds(1);
  other_family.at = now_ - std::chrono::seconds(2);
  look({other_family, peer_, other_interface, other});
  EXPECT_THAT(watch_.others(), ElementsAre(other, other_interface, other_family)) << "the latest first";
  now_ = now_ + std::chrono::seconds(61);
  look({other_family, other_interface, other});
  EXPECT_THAT(watch_.others(), IsEmpty()) << "they are silent";
}

TEST_F(WireWatchTest, AFloodOfThemIsNotAllTold) {
  std::vector<WireRouter> flood(1000, peer_);
  for (size_t i = 0; i < flood.size(); ++i) {
    flood[i].virtual_router_id = static_cast<uint8_t>(i % 99);
    flood[i].at = now_;
  }
  look(flood);
  EXPECT_THAT(watch_.others(), SizeIs(20));
}

}  // namespace control
