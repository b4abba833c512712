// SPDX-License-Identifier: Apache-2.0
// The table of templates when it is full: what gives way, and what becomes of a client that finds no room. Here it has
// two buckets, so all clients share its eight ways.
#include "bpf/fixture.hpp"

#include <set>

namespace test {

class FullTemplates : public EachFamily {
 protected:
  static constexpr uint32_t kTimeout = 300, kOld = 5;  // ticks
  static constexpr uint32_t kPlaces = 2 * XD_WAYS;

  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    settings().template_buckets = 2;
    rest_ = virtual_server(vip_, 9826, kTcp, {one_, two_});
    persist(rest_, kTimeout);
  }

  std::string somebody(uint32_t way) const { return host(static_cast<int>(way) + 1, 10); }
  void occupy(uint32_t way, bool proven, uint32_t age) {
    put_template({.way = way, .client = somebody(way), .slot = rest_.slots[0], .proven = proven, .age = age}, rest_);
  }
  void occupy_all(bool proven, uint32_t age) {
    for (uint32_t way = 0; way < kPlaces; way++) occupy(way, proven, age);
  }
  Result open(uint16_t port = 40000, std::string_view client = {}) {
    clear_connections();
    return run(tcp(port, 9826, kSyn, client));
  }
  // A new client connects; the way its template took, or none.
  std::optional<uint32_t> taken_by_new() {
    open();
    const auto mine = client_template(client_address_, rest_);
    return mine ? std::optional(mine->way) : std::nullopt;
  }

  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
  VirtualServer rest_;
};
INSTANTIATE_TEST_SUITE_P(Both, FullTemplates, kBothFamilies, family_name);

TEST_P(FullTemplates, AllEightPlacesAreUsedAndFound) {
  for (uint32_t i = 0; i < kPlaces; i++) EXPECT_EQ(open(1, somebody(i)).verdict, verdict_scheduled);
  EXPECT_EQ(templates(rest_).size(), kPlaces);
  for (uint32_t i = 0; i < kPlaces; i++) EXPECT_EQ(open(2, somebody(i)).verdict, verdict_persisted);
}

TEST_P(FullTemplates, ExpiredOnesGoFirstThenProvisionalOnes) {
  occupy_all(true, kOld);
  occupy(2, false, kOld);
  occupy(5, true, kTimeout + 1);
  EXPECT_EQ(taken_by_new(), 5U);

  clear_templates();
  occupy_all(true, kOld);
  occupy(2, false, kOld);
  EXPECT_EQ(taken_by_new(), 2U);
}

TEST_P(FullTemplates, OfEqualsTheOldestGoes) {
  for (const uint32_t oldest : {1U, 6U}) {
    clear_templates();
    occupy_all(false, kOld);
    occupy(oldest, false, kOld + 1);
    EXPECT_EQ(taken_by_new(), oldest);
  }
}

TEST_P(FullTemplates, AProvenTemplateIsNeverDisplaced) {
  occupy_all(true, kTimeout);
  EXPECT_EQ(taken_by_new(), std::nullopt);
  EXPECT_EQ(templates(rest_).size(), kPlaces);
}

TEST_P(FullTemplates, WhatWasSeenInThisOrThePreviousTickIsNotReplaced) {
  for (const uint32_t age : {0U, 1U}) {
    occupy_all(false, age);
    EXPECT_EQ(taken_by_new(), std::nullopt) << age;
  }
  occupy(3, false, 2);
  EXPECT_EQ(taken_by_new(), 3U);
}

TEST_P(FullTemplates, ATemplateOfAVirtualServerThatIsNoneIsExpired) {
  occupy_all(true, kOld);
  put_template({.way = 4, .client = somebody(4), .slot = rest_.slots[0], .proven = true, .age = kOld},
               {.index = 60000, .slots = {}});
  EXPECT_EQ(taken_by_new(), 4U);
}

TEST_P(FullTemplates, AClientWithoutRoomGoesByOneHashForAllItsConnections) {
  occupy_all(true, kOld);
  std::set<uint16_t> chosen;
  for (int client = 30; client < 46; client++) {
    const auto first = open(1, host(client));
    EXPECT_EQ(first.verdict, verdict_unpersisted);
    chosen.insert(slot_of(first));
    for (uint16_t port = 2; port < 20; port++) {
      const auto next = open(port, host(client));
      EXPECT_EQ(next.verdict, verdict_unpersisted);
      EXPECT_EQ(slot_of(next), slot_of(first));
    }
  }
  EXPECT_EQ(chosen.size(), 2U) << "clients are spread all the same";
  EXPECT_EQ(entry(rest_).position, 0U);
}

TEST_P(FullTemplates, ItsConnectionsAreRememberedAsAny) {
  occupy_all(true, kOld);
  const auto first = slot_of(open());
  const auto second = run(tcp(40000, 9826, kAck));
  EXPECT_EQ(second.verdict, verdict_forwarded);
  EXPECT_EQ(slot_of(second), first);
}

TEST_P(FullTemplates, TheHashOfAClientWithoutRoomIsOfItsMaskedAddress) {
  persist(rest_, kTimeout, ipv6() ? 64 : 24);
  occupy_all(true, kOld);
  for (int network = 1; network < 9; network++) {
    const auto first = slot_of(open(1, host(1, network)));
    for (int client = 2; client < 20; client++) EXPECT_EQ(slot_of(open(2, host(client, network))), first);
  }
}

TEST_P(FullTemplates, ClientsOfDifferentVirtualServersAreToldApart) {
  const auto other = virtual_server(vip_, 9827, kTcp, {real(36), real(37)});
  persist(other, kTimeout);
  const auto first = slot_of(open());
  clear_connections();
  const auto second = run(tcp(40000, 9827, kSyn));
  EXPECT_EQ(second.verdict, verdict_scheduled);
  EXPECT_EQ(templates(rest_).size() + templates(other).size(), 2U);
  EXPECT_EQ(slot_of(open(40001)), first);
}

}  // namespace test
