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

TEST(Ip, ParsesBothNotationsAndPrintsThemAsRfc5952Says) {
  EXPECT_EQ(Ip::parse("192.168.100.111")->str(), "192.168.100.111");
  EXPECT_EQ(Ip::parse("2001:DB8:0:0:1:0:0:1")->str(), "2001:db8::1:0:0:1");
  EXPECT_EQ(Ip::parse("2001:db8:0:1:1:1:1:1")->str(), "2001:db8:0:1:1:1:1:1") << "a single group is not shortened";
  EXPECT_EQ(Ip::parse("0:0:0:0:0:0:0:0"), Ip());
  EXPECT_EQ(Ip::parse("fd00:100::34")->str(80), "[fd00:100::34]:80");
  EXPECT_EQ(Ip::parse("192.168.100.34")->str(80), "192.168.100.34:80");
}

TEST(Ip, RefusesWhatWouldBeAnotherAddressOrTheSameTwice) {
  using std::string_view_literals::operator""sv;
  for (const auto bad : {""sv, "::ffff:10.0.0.1"sv, "::ffff:a00:1"sv, "fe80::1%eth0"sv, "2001:db8::/32"sv, "[::1]"sv,
                         "2001:db8::1::2"sv, "12345::"sv, "2001:db8::1\0"sv, "10.0.0.1\0"sv}) {
    EXPECT_FALSE(Ip::parse(bad)) << bad;
  }
}

TEST(Ip, SharesAPrefixWithAddressesOfItsFamily) {
  const Ip v4 = *Ip::parse("10.9.1.7"), v6 = *Ip::parse("2001:db8::17");
  EXPECT_TRUE(share_prefix(v4, *Ip::parse("10.9.0.1"), 23));
  EXPECT_FALSE(share_prefix(v4, *Ip::parse("10.9.0.1"), 24));
  EXPECT_TRUE(share_prefix(v6, *Ip::parse("2001:db8::1f"), 124));
  EXPECT_FALSE(share_prefix(v6, *Ip::parse("2001:db8::1f"), 128));
  EXPECT_FALSE(share_prefix(v4, v6, 0));
}

TEST(Ip, KnowsMulticast) {
  for (const char* group : {"224.0.0.18", "239.1.2.3", "ff02::12"}) EXPECT_TRUE(is_multicast(*Ip::parse(group)));
  for (const char* host : {"10.9.0.1", "255.255.255.255", "fe80::1"}) EXPECT_FALSE(is_multicast(*Ip::parse(host)));
}

TEST(Ip, IsIpv4OrIpv6) {
  const Ip v4 = *Ip::parse("10.0.0.1"), v6 = *Ip::parse("2001:db8::1");
  EXPECT_FALSE(v4.is_v6());
  EXPECT_TRUE(v6.is_v6());
  EXPECT_EQ(v4.v4(), *Ipv4::parse("10.0.0.1"));
  EXPECT_EQ(v4, Ip(*Ipv4::parse("10.0.0.1")));
  EXPECT_EQ(v4.bits(), 32);
  EXPECT_EQ(v6.bits(), 128);
  EXPECT_EQ(Ip::from_network(v4.network().data(), 4), v4);
  EXPECT_EQ(Ip::from_network(v6.network().data(), 16), v6);
  EXPECT_EQ(Ip::from_network(v6.network().data(), 6), std::nullopt);
}

TEST(Ip, OrdersIpv4BeforeIpv6AndEachByNumber) {
  EXPECT_LT(*Ip::parse("9.0.0.1"), *Ip::parse("10.0.0.0"));
  EXPECT_LT(*Ip::parse("255.255.255.255"), *Ip::parse("::1"));
  EXPECT_LT(*Ip::parse("fd00::9"), *Ip::parse("fd00::10"));
}

TEST(Mac, ParsesColonFormAndPrintsItBack) {
  EXPECT_EQ(Mac::parse("02:00:00:Ab:cD:34")->str(), "02:00:00:ab:cd:34");
  for (const char* bad : {"", "02:00:00:00:00", "02-00-00-00-00-34", "02:00:00:00:00:3g", "02:00:00:00:00:345"}) {
    EXPECT_FALSE(Mac::parse(bad)) << bad;
  }
}

}  // namespace base
