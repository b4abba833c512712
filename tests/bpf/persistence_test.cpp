// SPDX-License-Identifier: Apache-2.0
// A client of a persistent virtual server stays with one real server, while that one takes new connections.
#include "bpf/fixture.hpp"

namespace test {

class Persistence : public EachFamily {
 protected:
  static constexpr uint32_t kTimeout = 300;

  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    ftp_ = marked_virtual_server(300, kTcp, {one_, two_});
    port_marks(vip_, kTcp, {{8000, 10000, 300}});
    persist(ftp_, kTimeout);
  }

  // The slot of a new connection; its entry is forgotten at once.
  uint16_t open(uint16_t port, std::string_view client = {}) {
    clear_connections();
    return slot_of(run(tcp(next_port_++, port, kSyn, client)));
  }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer ftp_;
  uint16_t next_port_ = 1000;
};

INSTANTIATE_TEST_SUITE_P(Both, Persistence, kBothFamilies, family_name);

TEST_P(Persistence, AClientStaysOverAllPortsOfTheMark) {
  const auto control = run(tcp(40000, 9814, kSyn));
  EXPECT_EQ(control.verdict, verdict_scheduled);
  for (const uint16_t passive : {8000, 8123, 9999, 9814}) {
    const auto data = run(tcp(40001, passive, kSyn));
    EXPECT_EQ(data.verdict, verdict_persisted);
    EXPECT_EQ(slot_of(data), slot_of(control));
  }
  EXPECT_NE(open(9814, host(32)), slot_of(control));  // another client, the next server
}

TEST_P(Persistence, ATemplateLivesItsTimeoutAfterTheLastConnection) {
  const auto first = open(9814);
  pass_ticks(kTimeout);
  EXPECT_EQ(open(9814), first);
  pass_ticks(kTimeout);
  EXPECT_EQ(open(9814), first);
  pass_ticks(kTimeout + 1);
  EXPECT_NE(open(9814), first);
}

TEST_P(Persistence, AConnectionInUseKeepsItsTemplate) {
  const auto first = slot_of(run(tcp(40000, 9814, kSyn)));
  for (int i = 0; i < 5; i++) {
    pass_ticks(kTimeout);
    EXPECT_EQ(run(tcp(40000, 9814, kAck)).verdict, verdict_forwarded);
  }
  EXPECT_EQ(open(8000), first);
}

TEST_P(Persistence, ATemplateIsProvenWithItsConnection) {
  run(tcp(40000, 9814, kSyn));
  run(tcp(40000, 9814, kAck));
  EXPECT_FALSE(client_template(client_address_, ftp_)->proven);
  pass_ticks(1);
  run(tcp(40000, 9814, kAck));
  EXPECT_TRUE(client_template(client_address_, ftp_)->proven);
  open(8000);
  EXPECT_TRUE(client_template(client_address_, ftp_)->proven);
}

TEST_P(Persistence, TheMaskMakesNeighboursOneClient) {
  persist(ftp_, kTimeout, ipv6() ? 64 : 24);
  const auto first = open(9814);
  EXPECT_EQ(open(9814, host(77)), first);
  EXPECT_NE(open(9814, host(31, 101)), first);
  EXPECT_EQ(client_template(ipv6() ? "2001:db8:0:100::" : "192.168.100.0", ftp_)->slot, first);
}

TEST_P(Persistence, EveryPrefixComparesItsBitsAndNoMore) {
  // Addresses that differ in one bit only, counted from the left.
  const auto flipped = [this](uint32_t bit) {
    const base::Ip address = ip(client_address_);
    auto bytes = std::vector(address.network().begin(), address.network().end());
    bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
    return base::Ip::from_network(bytes.data(), bytes.size())->str();
  };
  const uint32_t bits = ipv6() ? 128 : 32;
  for (uint32_t prefix = 4; prefix <= bits; prefix++) {
    clear_templates();
    persist(ftp_, kTimeout, static_cast<uint8_t>(prefix));
    open(9814);
    open(9814, flipped(prefix - 1));
    EXPECT_EQ(templates(ftp_).size(), 2U) << "the last bit of " << prefix;
    if (prefix == bits) break;
    open(9814, flipped(prefix));
    EXPECT_EQ(templates(ftp_).size(), 2U) << "the first bit behind " << prefix;
  }
}

TEST_P(Persistence, ATemplateNeverPinsToAServerThatTakesNoNewConnections) {
  for (const uint8_t state : {XD_FAILED, XD_DRAINING, XD_UNUSED}) {
    clear_templates();
    schedule(ftp_, {ftp_.slots[0]});
    ASSERT_EQ(open(9814), ftp_.slots[0]);
    slot(ftp_.slots[0]).state = state;
    schedule(ftp_, {ftp_.slots[1]});
    EXPECT_EQ(open(9814), ftp_.slots[1]);
    slot(ftp_.slots[0]).state = XD_ACTIVE;
    EXPECT_EQ(open(9814), ftp_.slots[1]);  // the template was overwritten
  }
}

TEST_P(Persistence, ASlotGivenToAnotherVirtualServerIsNotFollowed) {
  schedule(ftp_, {ftp_.slots[0]});
  ASSERT_EQ(open(9814), ftp_.slots[0]);
  slot(ftp_.slots[0]).virtual_server = ftp_.index + 1;
  schedule(ftp_, {ftp_.slots[1]});
  EXPECT_EQ(open(9814), ftp_.slots[1]);
}

TEST_P(Persistence, AFailedServersConnectionTakesItsTemplateAlong) {
  const auto first = slot_of(run(tcp(40000, 9814, kSyn)));
  const auto second = first == ftp_.slots[0] ? ftp_.slots[1] : ftp_.slots[0];
  slot(first).state = XD_FAILED;
  schedule(ftp_, {second});
  EXPECT_EQ(run(tcp(40000, 9814, kAck)).verdict, verdict_rescheduled);
  EXPECT_EQ(client_template(client_address_, ftp_)->slot, second);
}

TEST_P(Persistence, ADrainingConnectionDoesNotTouchTheNewTemplate) {
  schedule(ftp_, {ftp_.slots[0]});
  run(tcp(40000, 9814, kSyn));
  slot(ftp_.slots[0]).state = XD_DRAINING;
  schedule(ftp_, {ftp_.slots[1]});
  run(tcp(40001, 8000, kSyn));
  const auto before = client_template(client_address_, ftp_);
  ASSERT_EQ(before->slot, ftp_.slots[1]);
  pass_ticks(10);
  run(tcp(40000, 9814, kAck));
  const auto after = client_template(client_address_, ftp_);
  EXPECT_EQ(after->slot, ftp_.slots[1]);
  EXPECT_EQ(after->age, before->age + 10);
}

TEST_P(Persistence, MidConnectionPacketsFollowTheTemplateElseOneHashPerClient) {
  const auto first = run(tcp(40000, 9814, kAck));
  EXPECT_EQ(first.verdict, verdict_hashed);
  EXPECT_EQ(client_template(client_address_, ftp_)->slot, slot_of(first));
  EXPECT_EQ(run(tcp(40001, 8000, kAck)).verdict, verdict_persisted);

  for (uint16_t port = 1; port < 20; port++) {  // the same without a template: what another director would say
    clear_connections();
    clear_templates();
    const auto out = run(tcp(port, static_cast<uint16_t>(8000 + port), kAck));
    EXPECT_EQ(out.verdict, verdict_hashed);
    EXPECT_EQ(slot_of(out), slot_of(first));
  }
}

TEST_P(Persistence, AResetLeavesNoTemplate) {
  run(tcp(40000, 9814, kRst));
  EXPECT_FALSE(client_template(client_address_, ftp_));
}

TEST_P(Persistence, AnotherVirtualServersConnectionsKeepNoTemplateAlive) {
  const auto other = virtual_server(vip_, 9826, kTcp, {real(36)});
  persist(other, kTimeout);
  run(tcp(40000, 9814, kSyn));
  run(tcp(40000, 9826, kSyn));
  pass_ticks(10);
  run(tcp(40000, 9826, kAck));
  EXPECT_EQ(client_template(client_address_, other)->age, 0U);
  EXPECT_EQ(client_template(client_address_, ftp_)->age, 10U);
}

TEST_P(Persistence, ATemplateIsRefreshedOncePerTick) {
  run(tcp(40000, 9814, kSyn));
  run(tcp(40000, 9814, kAck));
  put_template({.way = client_template(client_address_, ftp_)->way,
                .client = client_address_,
                .slot = ftp_.slots[0],
                .proven = false,
                .age = 7},
               ftp_);
  run(tcp(40000, 9814, kAck));  // in the same tick as the one before
  EXPECT_EQ(client_template(client_address_, ftp_)->age, 7U);
}

TEST_P(Persistence, UdpIsPersistentToo) {
  const auto dns = virtual_server(vip_, 53, kUdp, {one_, two_});
  persist(dns, kTimeout);
  const auto first = run(udp(40000, 53));
  EXPECT_EQ(first.verdict, verdict_scheduled);
  const auto second = run(udp(40001, 53));
  EXPECT_EQ(second.verdict, verdict_persisted);
  EXPECT_EQ(slot_of(second), slot_of(first));
}

}  // namespace test
