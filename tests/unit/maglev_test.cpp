// SPDX-License-Identifier: Apache-2.0
// The consistent hash: shares by weight, little movement, the same on every director.
#include "model/maglev.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "model/cycle.hpp"

namespace model {
namespace {

// Real servers 10.0.0.1:80 and on, of these weights, slots 1 and on.
std::vector<MaglevServer> servers(const std::vector<uint32_t>& weights) {
  std::vector<MaglevServer> all;
  for (const uint32_t weight : weights) {
    const auto number = static_cast<uint32_t>(all.size() + 1);
    all.push_back({base::Ipv4::from_host(0x0a000000 + number), 80, static_cast<uint16_t>(number), weight});
  }
  return all;
}

std::vector<MaglevServer> equal_servers(size_t count) {
  return servers(std::vector<uint32_t>(count, 1));
}

std::vector<MaglevServer> without(std::vector<MaglevServer> all, uint16_t slot) {
  std::erase_if(all, [&](const MaglevServer& server) { return server.slot == slot; });
  return all;
}

std::map<uint16_t, int> entries_of(const std::vector<uint16_t>& table) {
  std::map<uint16_t, int> entries;
  for (const uint16_t slot : table) ++entries[slot];
  return entries;
}

// Of the entries that were not `gone`'s, how many have another server now.
double moved(const std::vector<uint16_t>& before, const std::vector<uint16_t>& after, uint16_t gone) {
  int moved = 0, others = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == gone) continue;
    ++others;
    moved += before[i] != after[i] ? 1 : 0;
  }
  return static_cast<double>(moved) / others;
}

uint32_t length_for(const std::vector<MaglevServer>& all) {
  std::vector<WeightedSlot> weights;
  for (const MaglevServer& server : all) weights.push_back({server.slot, server.weight});
  return maglev_length(cycle_length(weights));
}

}  // namespace

TEST(Maglev, LengthsGiveEachTurnOfTheCycle32EntriesWithinBounds) {
  EXPECT_EQ(maglev_length(0), 251u);
  EXPECT_EQ(maglev_length(2), 251u);
  EXPECT_EQ(maglev_length(12), 389u);
  EXPECT_EQ(maglev_length(13), 577u);
  EXPECT_EQ(maglev_length(1000), 33013u);
  EXPECT_EQ(maglev_length(1'000'000'000'000), 65521u);
}

TEST(Maglev, SharesAreInProportionToTheWeightsToWithinOneEntry) {
  const std::vector<MaglevServer> all = servers({1, 2, 3, 4, 5, 0, 50});
  const uint32_t length = length_for(all);
  const std::map<uint16_t, int> entries = entries_of(make_maglev(all, length));
  for (const MaglevServer& server : all) {
    const double share = static_cast<double>(server.weight) / 65 * length;
    const auto found = entries.find(server.slot);
    EXPECT_NEAR(found == entries.end() ? 0 : found->second, share, 1) << server.slot;
  }
  EXPECT_FALSE(entries.contains(6)) << "weight 0";
}

TEST(Maglev, ExtremeWeightsStillShareTheLongestTable) {
  const std::vector<MaglevServer> all = servers({65535, 65534, 3});
  const std::map<uint16_t, int> entries = entries_of(make_maglev(all, length_for(all)));
  EXPECT_NEAR(entries.at(1), 65521 / 2, 2);
  EXPECT_NEAR(entries.at(2), 65521 / 2, 2);
  EXPECT_THAT(entries.at(3), testing::AllOf(testing::Ge(1), testing::Le(2)));
}

TEST(Maglev, WhoeverLeavesMovesFewOthers) {
  for (const size_t count : {2U, 3U, 12U, 100U, 1000U}) {
    const std::vector<MaglevServer> all = equal_servers(count);
    const uint32_t length = length_for(all);
    const std::vector<uint16_t> before = make_maglev(all, length);
    double worst = 0;
    for (const uint16_t gone : {1, static_cast<int>(count / 2 + 1), static_cast<int>(count)}) {
      worst = std::max(worst, moved(before, make_maglev(without(all, gone), length), gone));
    }
    EXPECT_LT(worst, 0.08) << count << " real servers";  // measured: 7 % of 12, less than 3 % of 100
  }
}

TEST(Maglev, IsTheSameWhateverTheSlots) {
  std::vector<MaglevServer> here = servers({1, 2, 3}), there = here;
  for (MaglevServer& server : there) server.slot = static_cast<uint16_t>(100 - server.slot);
  const std::vector<uint16_t> a = make_maglev(here, 251), b = make_maglev(there, 251);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i], 100 - b[i]);
}

TEST(Maglev, PortsAndFamiliesAreDifferentServers) {
  const base::Ip v4 = *base::Ip::parse("10.0.0.1"), v6 = *base::Ip::parse("2001:db8::1");
  const std::vector<uint16_t> table = make_maglev({{v4, 80, 1, 1}, {v4, 81, 2, 1}, {v6, 80, 3, 1}}, 251);
  for (const auto& [slot, entries] : entries_of(table)) EXPECT_NEAR(entries, 251 / 3, 1) << slot;
}

TEST(Maglev, WithoutWeightsIsEmpty) {
  EXPECT_TRUE(make_maglev({}, 251).empty());
  EXPECT_TRUE(make_maglev(servers({0, 0}), 251).empty());
}

// Another table for the same real servers is another layout of the maps: see maglev.hpp.
TEST(Maglev, IsTheTableThatOtherVersionsMake) {
  const std::vector<uint16_t> table = make_maglev(servers({1, 2, 3}), 251);
  uint64_t print = 0;
  for (const uint16_t slot : table) print = print * 31 + slot;
  EXPECT_EQ(print, 15533509622632895327u);
}

}  // namespace model
