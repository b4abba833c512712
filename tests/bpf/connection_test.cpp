// SPDX-License-Identifier: Apache-2.0
// A connection's life: states, timeouts, and what becomes of it when its real server does not stay.
#include "bpf/fixture.hpp"

namespace test {

class ConnectionLife : public EachFamily {
 protected:
  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    rest_ = virtual_server(vip_, 9826, kTcp, {one_, two_});
    for (const uint16_t number : rest_.slots) {
      auto& timeouts = slot(number).timeout_ticks;
      timeouts[XD_OPENING] = 60;
      timeouts[XD_CLOSING] = 120;
      timeouts[XD_YOUNG] = timeouts[XD_PROVEN] = 900;
    }
  }

  xd_connection_state state() const { return only_connection().state; }
  void establish() {
    run(tcp(40000, 9826, kSyn));
    run(tcp(40000, 9826, kAck));
  }
  void prove() {
    establish();
    pass_ticks(1);
    run(tcp(40000, 9826, kAck));
  }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer rest_;
};

INSTANTIATE_TEST_SUITE_P(Both, ConnectionLife, kBothFamilies, family_name);

TEST_P(ConnectionLife, OpensBecomesEstablishedIsProvenCloses) {
  run(tcp(40000, 9826, kSyn));
  const auto opening = only_connection();
  EXPECT_EQ(opening.client, client_address_);
  EXPECT_EQ(opening.client_port, 40000);
  EXPECT_EQ(opening.slot, rest_.slots[0]);
  EXPECT_EQ(opening.state, XD_OPENING);
  run(tcp(40000, 9826, kAck));
  EXPECT_EQ(state(), XD_YOUNG);
  run(tcp(40000, 9826, kAck | kPush));
  EXPECT_EQ(state(), XD_YOUNG);  // still the same tick
  pass_ticks(1);
  run(tcp(40000, 9826, kAck));
  EXPECT_EQ(state(), XD_PROVEN);
  run(tcp(40000, 9826, kAck | kFin));
  EXPECT_EQ(state(), XD_CLOSING);
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded);  // the rest of it
  EXPECT_EQ(state(), XD_CLOSING);
  EXPECT_EQ(slot_of(run(tcp(40000, 9826, kAck))), rest_.slots[0]);
}

TEST_P(ConnectionLife, AResetClosesIt) {
  prove();
  EXPECT_EQ(run(tcp(40000, 9826, kRst)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_CLOSING);
}

TEST_P(ConnectionLife, TheLastSeenTickIsThatOfTheLastPacket) {
  establish();
  const auto tick = only_connection().tick;
  pass_ticks(500);
  EXPECT_NE(only_connection().tick, tick);
  run(tcp(40000, 9826, kAck));
  EXPECT_EQ(only_connection().tick, tick);
}

TEST_P(ConnectionLife, ARepeatedSynKeepsServerAndState) {
  run(tcp(40000, 9826, kSyn));
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_OPENING);
  pass_ticks(3);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_OPENING);
  run(tcp(40000, 9826, kAck));
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_YOUNG);
  EXPECT_EQ(only_connection().slot, rest_.slots[0]);
}

TEST_P(ConnectionLife, ASynOnAClosingConnectionIsScheduledAnew) {
  establish();
  run(tcp(40000, 9826, kFin | kAck));
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
  EXPECT_EQ(only_connection().slot, rest_.slots[1]);  // in the same way
  EXPECT_EQ(state(), XD_OPENING);
}

TEST_P(ConnectionLife, EachStateHasItsTimeout) {
  const auto survives = [this](uint32_t ticks) {
    pass_ticks(ticks);
    return run(tcp(40000, 9826, kAck)).verdict == verdict_forwarded;
  };
  run(tcp(40000, 9826, kSyn));
  EXPECT_TRUE(survives(60));
  EXPECT_TRUE(survives(900));
  EXPECT_FALSE(survives(901));
  run(tcp(40000, 9826, kFin | kAck));
  EXPECT_TRUE(survives(120));
  EXPECT_FALSE(survives(121));
}

TEST_P(ConnectionLife, AnExpiredConnectionIsBegunAnewInItsOwnWay) {
  establish();
  const auto way = only_connection().way;
  pass_ticks(901);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
  EXPECT_EQ(only_connection().way, way);
  EXPECT_EQ(only_connection().slot, rest_.slots[1]);
}

TEST_P(ConnectionLife, AStampFromTheFutureIsNew) {
  establish();  // another CPU has read the clock a moment later
  pass_ticks(static_cast<uint32_t>(-1));
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_YOUNG);
}

TEST_P(ConnectionLife, TheStampWrapsAround) {
  establish();
  for (int i = 0; i < 20; i++) {
    pass_ticks(899);
    EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded) << i;
  }
}

TEST_P(ConnectionLife, PacketsInMidConnectionAreHashedAndLearned) {
  const auto out = run(tcp(40000, 9826, kAck));
  EXPECT_EQ(out.verdict, verdict_hashed);
  EXPECT_EQ(state(), XD_OPENING);
  EXPECT_EQ(only_connection().slot, slot_of(out));
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded);
  EXPECT_EQ(entry(rest_).position, 0U);  // the scheduler had no part in it
}

TEST_P(ConnectionLife, AFinWithoutAnEntryIsLearnedAsClosing) {
  EXPECT_EQ(run(tcp(40000, 9826, kFin | kAck)).verdict, verdict_hashed);
  EXPECT_EQ(state(), XD_CLOSING);
}

TEST_P(ConnectionLife, ResetsAndAnswersWithoutAnEntryAreNotLearned) {
  EXPECT_EQ(run(tcp(40000, 9826, kRst)).verdict, verdict_hashed);
  EXPECT_EQ(run(tcp(40000, 9826, kRst | kAck)).verdict, verdict_hashed);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn | kAck)).verdict, verdict_hashed);
  EXPECT_TRUE(connections().empty());
}

TEST_P(ConnectionLife, UdpIsYoungFromItsSecondPacket) {
  const auto dns = virtual_server(vip_, 53, kUdp, {one_, two_});
  EXPECT_EQ(run(udp(40000, 53)).verdict, verdict_scheduled);
  EXPECT_EQ(state(), XD_OPENING);
  EXPECT_EQ(run(udp(40000, 53)).verdict, verdict_forwarded);
  EXPECT_EQ(state(), XD_YOUNG);
  pass_ticks(1);
  run(udp(40000, 53));
  EXPECT_EQ(state(), XD_PROVEN);
  EXPECT_EQ(only_connection().slot, dns.slots[0]);
}

TEST_P(ConnectionLife, ADrainingRealServerKeepsItsConnections) {
  establish();
  slot(rest_.slots[0]).state = XD_DRAINING;
  schedule(rest_, {rest_.slots[1]});
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded);
  EXPECT_EQ(only_connection().slot, rest_.slots[0]);
  for (uint16_t port = 1; port < 4; port++) EXPECT_EQ(slot_of(run(tcp(port, 9826, kSyn))), rest_.slots[1]);
}

TEST_P(ConnectionLife, ConnectionsOfAFailedRealServerAreRescheduled) {
  prove();
  slot(rest_.slots[0]).state = XD_FAILED;
  schedule(rest_, {rest_.slots[1]});
  const auto in = tcp(40000, 9826, kAck);
  EXPECT_SENT(run(in), verdict_rescheduled, in.with_eth(director_, two_.mac));
  EXPECT_EQ(only_connection().slot, rest_.slots[1]);
  EXPECT_EQ(state(), XD_OPENING);
  EXPECT_EQ(run(in).verdict, verdict_forwarded);
}

TEST_P(ConnectionLife, AResetForAFailedRealServerTakesNobodysTurn) {
  establish();
  const auto turns = entry(rest_).position;
  slot(rest_.slots[0]).state = XD_FAILED;
  schedule(rest_, {rest_.slots[1]});
  EXPECT_EQ(run(tcp(40000, 9826, kRst)).verdict, verdict_hashed);
  EXPECT_EQ(entry(rest_).position, turns);
}

TEST_P(ConnectionLife, WithoutAnyRealServerItIsDropped) {
  establish();
  slot(rest_.slots[0]).state = XD_FAILED;
  schedule(rest_, {});
  for (const auto& in : {tcp(40000, 9826, kAck), tcp(40001, 9826, kSyn), tcp(40002, 9826, kAck)}) {
    EXPECT_LEFT(run(in), XDP_DROP, verdict_dropped_no_real_server, in);
  }
}

TEST_P(ConnectionLife, AnEntryWhoseSlotIsUnusedIsNone) {
  establish();
  slot(rest_.slots[0]) = {};
  schedule(rest_, {rest_.slots[1]});
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_hashed);
  EXPECT_EQ(only_connection().slot, rest_.slots[1]);
}

TEST_P(ConnectionLife, AnEntryWhoseSlotIsOfAnotherVirtualServerIsNone) {
  const auto other = virtual_server(vip_, 9827, kTcp, {one_});
  const auto udp_server = virtual_server(vip_, 9826, kUdp, {one_});
  const auto elsewhere = virtual_server(host(112), 9826, kTcp, {one_});
  for (const auto& server : {other, udp_server, elsewhere}) {
    put_connection({.client = client_address_, .client_port = 40000, .slot = server.slots[0], .state = XD_PROVEN}, vip_,
                   9826);
    EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_hashed);
    EXPECT_NE(only_connection().slot, server.slots[0]);
  }
}

TEST_P(ConnectionLife, AFlowThatIsThereTwiceKeepsTheLowerWay) {
  const auto put = [this](uint32_t way, xd_connection_state state) {
    put_connection(
        {.way = way, .client = client_address_, .client_port = 40000, .slot = rest_.slots[1], .state = state}, vip_,
        9826);
  };
  const auto lower = [this] {  // in the flow's own order of its two buckets
    clear_connections();
    run(tcp(40000, 9826, kSyn));
    return only_connection().way;
  }();
  clear_connections();
  put(lower, XD_CLOSING);
  put((lower + XD_WAYS) % kWays, XD_YOUNG);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
  EXPECT_EQ(only_connection().way, lower);
}

TEST_P(ConnectionLife, ARemovedVirtualServerDrains) {
  establish();
  slot(rest_.slots[0]).state = XD_DRAINING;
  slot(rest_.slots[1]).state = XD_DRAINING;
  remove_service(rest_);
  EXPECT_EQ(run(tcp(40000, 9826, kAck)).verdict, verdict_forwarded);
  EXPECT_EQ(run(tcp(40001, 9826, kSyn)).verdict, verdict_passed_no_service);
}

}  // namespace test
