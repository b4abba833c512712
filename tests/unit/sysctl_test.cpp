// SPDX-License-Identifier: Apache-2.0
#include "netlink/sysctl.hpp"

#include <gtest/gtest.h>

namespace netlink {

TEST(Sysctl, ReadsAnInterfacesSetting) {
  const auto value = ipv4_conf("lo", "arp_ignore");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_GE(*value, 0);
}

TEST(Sysctl, AnErrorNamesTheSetting) {
  const auto value = ipv4_conf("nosuchif", "arp_ignore");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "cannot open net.ipv4.conf.nosuchif.arp_ignore: No such file or directory");
}

TEST(Sysctl, ANameThatLeavesTheFolderIsRefused) {
  for (const char* interface : {"", ".", "..", "../../../kernel", "lo/.."}) {
    EXPECT_FALSE(ipv4_conf(interface, "arp_ignore")) << interface;
    EXPECT_FALSE(set_ipv4_conf(interface, "arp_ignore", 1)) << interface;
  }
}

}  // namespace netlink
