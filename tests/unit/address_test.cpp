// SPDX-License-Identifier: Apache-2.0
#include "base/address.hpp"

#include <gtest/gtest.h>

namespace base {

TEST(Ipv4, ParsesDottedQuadsOnlyAndPrintsThemBack) {
  EXPECT_EQ(Ipv4::parse("192.168.100.111")->str(), "192.168.100.111");
  EXPECT_EQ(Ipv4::parse("192.168.100.111")->host(), 0xC0A8646Fu);
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", " 1.2.3.4", "1.2.3.4/32", "::1"}) {
    EXPECT_FALSE(Ipv4::parse(bad)) << bad;
  }
}

TEST(Ipv4, ComparesByNumberNotByByteOrder) {
  EXPECT_LT(*Ipv4::parse("9.0.0.1"), *Ipv4::parse("10.0.0.0"));
}

TEST(Mac, ParsesColonFormAndPrintsItBack) {
  EXPECT_EQ(Mac::parse("02:00:00:Ab:cD:34")->str(), "02:00:00:ab:cd:34");
  for (const char* bad : {"", "02:00:00:00:00", "02-00-00-00-00-34", "02:00:00:00:00:3g", "02:00:00:00:00:345"}) {
    EXPECT_FALSE(Mac::parse(bad)) << bad;
  }
}

}  // namespace base
