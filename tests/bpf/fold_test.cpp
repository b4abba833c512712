// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses do not fit into a way, which has folds of them: those that collide are told apart all the same.
#include <set>
#include <unordered_map>

#include "bpf/fixture.hpp"
#include "xdirector/hash.h"

namespace test {

class Folds : public Director {
 protected:
  Folds() : Director(Family::Ipv6) {}

  // The first address of an endless series whose bits of `mask` in the fold are those of an earlier one; both.
  std::pair<std::string, std::string> twins(uint32_t mask) {
    std::unordered_map<uint32_t, uint32_t> seen;
    for (uint32_t number = 1;; number++) {
      const auto [earlier, is_new] = seen.try_emplace(fold_of(numbered(number)) & mask, number);
      if (!is_new) return {numbered(earlier->second).str(), numbered(number).str()};
    }
  }
  static base::Ip numbered(uint32_t number) {
    base::Ip::Bytes bytes = ip("2001:db8::").bytes();
    for (size_t i = 0; i < 4; i++) bytes[12 + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
    return base::Ip(bytes);
  }
  uint32_t fold_of(const base::Ip& address) {
    __u64 words[2];
    memcpy(words, address.bytes().data(), sizeof(words));
    return address_fold(words, settings().hash_seed);
  }

  static constexpr uint32_t kWhole = 0xffffffff, kUpperHalf = 0xffff0000;
  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
};

TEST_F(Folds, ClientsThatCollideHaveEntriesOfTheirOwn) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {one_, two_});
  const auto [first, second] = twins(kWhole);
  EXPECT_EQ(slot_of(run(tcp(40000, 9826, kSyn, first))), rest.slots[0]);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn, second)).verdict, verdict_scheduled);
  EXPECT_EQ(connections().size(), 2U);
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(slot_of(run(tcp(40000, 9826, kAck, first))), rest.slots[0]);
    EXPECT_EQ(slot_of(run(tcp(40000, 9826, kAck, second))), rest.slots[1]);
  }
  run(tcp(40000, 9826, kFin | kAck, second));
  std::set<xd_connection_state> states;
  for (const auto& connection : connections()) states.insert(connection.state);
  EXPECT_EQ(states, (std::set{XD_YOUNG, XD_CLOSING})) << "and ends of their own";
}

TEST_F(Folds, VirtualAddressesThatCollideHaveEntriesOfTheirOwn) {
  const auto [first, second] = twins(kUpperHalf);
  const auto ftp = marked_virtual_server(300, kTcp, {one_, two_});  // a slot of a mark serves any address
  for (const auto& address : {first, second}) port_marks(address, kTcp, {{8000, 10000, 300}});
  const auto to = [this](const std::string& address, uint8_t flags) {
    return frame_.ip(client_address_, address).tcp(40000, 8000, flags);
  };
  EXPECT_EQ(slot_of(run(to(first, kSyn))), ftp.slots[0]);
  EXPECT_EQ(slot_of(run(to(second, kSyn))), ftp.slots[1]);
  EXPECT_EQ(slot_of(run(to(first, kAck))), ftp.slots[0]);
  EXPECT_EQ(slot_of(run(to(second, kAck))), ftp.slots[1]);
  EXPECT_EQ(connections().size(), 2U);
}

TEST_F(Folds, TemplatesOfClientsThatCollideAreToldApart) {
  const auto rest = virtual_server(vip_, 9826, kTcp, {one_, two_});
  persist(rest, 300);
  const auto [first, second] = twins(kWhole);
  EXPECT_EQ(run(tcp(1, 9826, kSyn, first)).verdict, verdict_scheduled);
  EXPECT_EQ(run(tcp(1, 9826, kSyn, second)).verdict, verdict_scheduled);
  EXPECT_EQ(slot_of(run(tcp(2, 9826, kSyn, first))), rest.slots[0]);
  EXPECT_EQ(slot_of(run(tcp(2, 9826, kSyn, second))), rest.slots[1]);
  EXPECT_EQ(templates(rest).size(), 2U);
}

TEST_F(Folds, EveryWordOfTheAddressesIsCompared) {
  const auto ftp = marked_virtual_server(300, kTcp, {one_, two_});
  port_marks(vip_, kTcp, {{8000, 10000, 300}});
  run(tcp(40000, 8000, kSyn));
  const auto entry = only_connection();
  for (uint32_t word = 0; word < 4; word++) {
    change_address_word(entry.way, word);
    EXPECT_NE(run(tcp(40000, 8000, kAck)).verdict, verdict_forwarded) << word;
    clear_connections();
    run(tcp(40000, 8000, kSyn));
  }
}

TEST_F(Folds, AnEntryIsNotReadAcrossGenerations) {
  virtual_server(vip_, 9826, kTcp, {one_, two_});
  run(tcp(40000, 9826, kSyn));
  const auto first = generation(only_connection().way);
  run(tcp(40000, 9826, kFin | kAck));
  run(tcp(40000, 9826, kSyn));  // writes the way anew
  EXPECT_EQ(generation(only_connection().way), (first + 1) & 0xffff);
}

}  // namespace test
