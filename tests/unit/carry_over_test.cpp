// SPDX-License-Identifier: Apache-2.0
// When two tables know the same connection, as they do around the switch to new ones: which of them is right?
#include "dataplane/carry_over.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dataplane {
namespace {

constexpr uint32_t kNow = 100;
constexpr uint16_t kSlot = 1, kOther = 2, kFailed = 3;

Entry seen(uint32_t tick, xd_connection_state state, uint16_t slot = kSlot) {
  xd_way way{};
  way.client = 1;
  way.slot = slot;
  way.tick = tick;
  way.state = state;
  Entry entry{.w0 = way.w0};
  entry.w1 = way.w1;
  return entry;
}

bool old_is_later(const Entry& old_entry, const Entry& new_entry) {
  std::vector<xd_real_server> real_servers(4);
  real_servers[kFailed].state = XD_FAILED;
  return is_later(old_entry, new_entry, kNow, real_servers);
}

}  // namespace

TEST(IsLater, WhatWasSeenLastIsRight) {
  EXPECT_TRUE(old_is_later(seen(100, XD_CLOSING), seen(99, XD_PROVEN)));
  EXPECT_FALSE(old_is_later(seen(99, XD_PROVEN), seen(100, XD_CLOSING)));
}

TEST(IsLater, WithinATickWhatHasComeFurtherIs) {
  EXPECT_TRUE(old_is_later(seen(100, XD_YOUNG), seen(100, XD_OPENING)));
  EXPECT_TRUE(old_is_later(seen(100, XD_CLOSING), seen(100, XD_PROVEN)));
  EXPECT_FALSE(old_is_later(seen(100, XD_YOUNG), seen(100, XD_YOUNG)));
  EXPECT_FALSE(old_is_later(seen(100, XD_YOUNG), seen(100, XD_PROVEN)));
}

TEST(IsLater, AConnectionKeepsItsRealServerThoughItWasPlacedAnewInTheMeantime) {
  EXPECT_TRUE(old_is_later(seen(99, XD_OPENING), seen(100, XD_OPENING, kOther)));
  EXPECT_TRUE(old_is_later(seen(99, XD_PROVEN), seen(100, XD_OPENING, kOther)));
}

TEST(IsLater, OneThatWasClosingMayHaveBegunAnew) {
  EXPECT_FALSE(old_is_later(seen(99, XD_CLOSING), seen(100, XD_OPENING, kOther)));
}

TEST(IsLater, AFailedRealServerIsNotGivenItsConnectionsBack) {
  EXPECT_FALSE(old_is_later(seen(99, XD_PROVEN, kFailed), seen(100, XD_PROVEN, kOther)));
}

}  // namespace dataplane
