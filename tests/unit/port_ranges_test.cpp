// SPDX-License-Identifier: Apache-2.0
// Port marks become disjoint ranges, and the last rule wins where they overlap.
#include "model/port_ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace model {
namespace {

const base::Ipv4 kVip = *base::Ipv4::parse("192.168.100.111");

PortMark rule(uint32_t mark, uint16_t first, uint16_t last) {
  return {mark, kVip, Protocol::tcp, first, last};
}

std::vector<PortRange> flat(const std::vector<PortMark>& rules) {
  return flatten(rules).at({kVip, Protocol::tcp});
}

}  // namespace

using testing::ElementsAre;

TEST(PortRanges, AreSortedByPort) {
  EXPECT_THAT(flat({rule(300, 9814, 9814), rule(300, 8000, 9000)}),
              ElementsAre(PortRange{8000, 9000, 300}, PortRange{9814, 9814, 300}));
}

TEST(PortRanges, OfTheSameMarkThatTouchAreOne) {
  EXPECT_THAT(flat({rule(300, 9814, 9814), rule(300, 8000, 10000)}), ElementsAre(PortRange{8000, 10000, 300}));
}

TEST(PortRanges, TheLastRuleWinsAsWithIptables) {
  EXPECT_THAT(flat({rule(1, 10, 30), rule(2, 20, 20)}),
              ElementsAre(PortRange{10, 19, 1}, PortRange{20, 20, 2}, PortRange{21, 30, 1}));
  EXPECT_THAT(flat({rule(2, 20, 20), rule(1, 10, 30)}), ElementsAre(PortRange{10, 30, 1}));
}

TEST(PortRanges, ReachTheLastPort) {
  EXPECT_THAT(flat({rule(1, 0, 65535)}), ElementsAre(PortRange{0, 65535, 1}));
}

TEST(PortRanges, KeepAddressesAndProtocolsApart) {
  PortMark udp = rule(2, 5, 5);
  udp.protocol = Protocol::udp;
  EXPECT_EQ(flatten({rule(1, 5, 5), udp}).size(), 2u);
}

TEST(PortRanges, SayForEveryPortWhatTheRulesSay) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<PortMark> rules;
    for (uint32_t i = 0; i < 64; ++i) {
      const auto a = static_cast<uint16_t>(random() % 300), b = static_cast<uint16_t>(random() % 300);
      rules.push_back(rule(1 + i % 5, std::min(a, b), std::max(a, b)));
    }
    const std::vector<PortRange> ranges = flat(rules);
    EXPECT_LE(ranges.size(), 127u);
    for (uint16_t port = 0; port < 310; ++port) {
      uint32_t wanted = 0, got = 0;
      for (const PortMark& r : rules) wanted = r.first_port <= port && port <= r.last_port ? r.mark : wanted;
      for (const PortRange& r : ranges) got = r.first <= port && port <= r.last ? r.mark : got;
      ASSERT_EQ(got, wanted) << "port " << port;
    }
  }
}

}  // namespace model
