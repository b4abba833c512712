// SPDX-License-Identifier: Apache-2.0
// The desired tables: who gets which index, what drains, what health and neighbours change.
#include "model/tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}
base::Mac mac(const char* text) {
  return *base::Mac::parse(text);
}

RealServer real(const char* address, uint16_t weight = 1) {
  return {.address = ip(address), .port = 9826, .weight = weight, .checks = {}};
}

VirtualServer rest(std::vector<RealServer> servers) {
  return {.name = "rest",
          .key = {.address = ip("192.168.100.111"), .port = 9826},
          .tcp_timeout = std::chrono::seconds(900),
          .tcp_fin_timeout = std::chrono::seconds(120),
          .udp_timeout = std::chrono::seconds(300),
          .real_servers = std::move(servers)};
}

// A world with two real servers that the kernel knows, on interface 3.
class TablesTest : public testing::Test {
 protected:
  TablesTest() {
    around_.tick = std::chrono::seconds(1);
    for (const char* last : {"34", "35", "36"}) {
      const std::string text = last;
      around_.next_hops[ip(("192.168.100." + text).c_str())] = {3, mac("02:00:00:00:00:44"),
                                                                mac(("02:00:00:00:00:" + text).c_str())};
    }
  }

  Tables apply(const Config& config) {
    base::Result<Tables> made = desired_tables(config, around_, tables_);
    EXPECT_TRUE(made) << made.error().message;
    return tables_ = *made;
  }

  Tables apply(std::vector<RealServer> servers) { return apply(Config{.virtual_servers = {rest(std::move(servers))}}); }

  Member member(const char* address) const { return {rest({}).key, {ip(address), 9826}}; }
  Slot slot(const char* address) const { return slots_by_member(tables_).at(member(address)); }
  const RealServerEntry& entry(const char* address) const { return tables_.real_servers.at(slot(address)); }
  std::vector<Slot> cycle() const { return tables_.virtual_servers.at(0).cycle; }

  Surroundings around_;
  Tables tables_;
};

}  // namespace

TEST_F(TablesTest, AVirtualServerGetsAnIndexASlotForEachRealServerAndACycle) {
  apply({real("192.168.100.34", 2), real("192.168.100.35")});
  EXPECT_EQ(tables_.services.at(rest({}).key), 0u);
  EXPECT_THAT(cycle(), ElementsAre(1, 2, 1));
  const RealServerEntry& first = entry("192.168.100.34");
  EXPECT_EQ(first.state, XD_ACTIVE);
  EXPECT_EQ(first.next_hop.mac, mac("02:00:00:00:00:34"));
  EXPECT_EQ(first.virtual_address, ip("192.168.100.111"));
  EXPECT_EQ(first.virtual_port, 9826);
  EXPECT_THAT(first.timeout_ticks, ElementsAre(61, 121, 901, 901));
}

TEST_F(TablesTest, SlotZeroIsNeverGivenOut) {
  apply({real("192.168.100.34")});
  EXPECT_FALSE(tables_.real_servers.contains(0));
}

TEST_F(TablesTest, NothingChangesWhenNothingChanged) {
  const Tables once = apply({real("192.168.100.34"), real("192.168.100.35")});
  EXPECT_EQ(apply({real("192.168.100.34"), real("192.168.100.35")}), once);
}

TEST_F(TablesTest, IndicesStayWithTheirOwnersWhenTheOrderChanges) {
  apply({real("192.168.100.34"), real("192.168.100.35")});
  const Slot slot34 = slot("192.168.100.34"), slot35 = slot("192.168.100.35");
  apply({real("192.168.100.36"), real("192.168.100.35"), real("192.168.100.34")});
  EXPECT_EQ(slot("192.168.100.34"), slot34);
  EXPECT_EQ(slot("192.168.100.35"), slot35);
}

TEST_F(TablesTest, TheCycleDependsOnAddressesNotOnOrderOrSlots) {
  apply({real("192.168.100.35"), real("192.168.100.34")});
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.34"), slot("192.168.100.35")));
}

TEST_F(TablesTest, WeightZeroDrains) {
  apply({real("192.168.100.34", 0), real("192.168.100.35")});
  EXPECT_EQ(entry("192.168.100.34").state, XD_DRAINING);
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.35")));
}

TEST_F(TablesTest, AFailedRealServerLeavesTheCycle) {
  around_.down = {member("192.168.100.34")};
  apply({real("192.168.100.34"), real("192.168.100.35")});
  EXPECT_EQ(entry("192.168.100.34").state, XD_FAILED);
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.35")));
  EXPECT_EQ(members_down(tables_), around_.down) << "a new controller must be able to read it back";
}

TEST_F(TablesTest, InhibitOnFailureMakesAFailedRealServerDrain) {
  RealServer inhibited = real("192.168.100.34");
  inhibited.inhibit_on_failure = true;
  around_.down = {member("192.168.100.34")};
  apply({inhibited, real("192.168.100.35")});
  EXPECT_EQ(entry("192.168.100.34").state, XD_DRAINING);
  EXPECT_EQ(members_down(tables_), around_.down);
}

TEST_F(TablesTest, ARemovedRealServerKeepsItsSlotAndDrainsUntilIdle) {
  apply({real("192.168.100.34"), real("192.168.100.35")});
  const Slot removed = slot("192.168.100.34");
  apply({real("192.168.100.35")});
  EXPECT_EQ(tables_.real_servers.at(removed).state, XD_DRAINING);
  EXPECT_THAT(members_down(tables_), IsEmpty()) << "removed is not failed";
  apply({real("192.168.100.35"), real("192.168.100.36")});
  EXPECT_NE(slot("192.168.100.36"), removed) << "a slot is reused only once no connection holds it";
  around_.idle = {removed};
  apply({real("192.168.100.35"), real("192.168.100.36")});
  EXPECT_FALSE(tables_.real_servers.contains(removed));
}

TEST_F(TablesTest, ARemovedRealServersMacIsKeptUpToDate) {
  apply({real("192.168.100.34"), real("192.168.100.35")});
  const Slot removed = slot("192.168.100.34");
  around_.next_hops[ip("192.168.100.34")].mac = mac("02:00:00:00:00:99");
  apply({real("192.168.100.35")});
  EXPECT_EQ(tables_.real_servers.at(removed).next_hop.mac, mac("02:00:00:00:00:99"));
}

TEST_F(TablesTest, ARealServerThatReturnsWhileDrainingHasItsOldSlot) {
  apply({real("192.168.100.34"), real("192.168.100.35")});
  const Slot removed = slot("192.168.100.34");
  apply({real("192.168.100.35")});
  apply({real("192.168.100.34"), real("192.168.100.35")});
  EXPECT_EQ(slot("192.168.100.34"), removed);
  EXPECT_EQ(entry("192.168.100.34").state, XD_ACTIVE);
}

TEST_F(TablesTest, ARemovedVirtualServerIsNoServiceButKeepsItsIndexWhileItDrains) {
  apply({real("192.168.100.34")});
  apply(Config{});
  EXPECT_THAT(tables_.services, IsEmpty());
  EXPECT_EQ(tables_.virtual_servers.at(0).key, rest({}).key);
  EXPECT_THAT(tables_.virtual_servers.at(0).cycle, IsEmpty());
  around_.idle = {1};
  apply(Config{});
  EXPECT_THAT(tables_.virtual_servers, IsEmpty());
}

TEST_F(TablesTest, ARealServerIsScheduledOnceItsMacIsKnown) {
  const std::optional<base::Mac> found = std::exchange(around_.next_hops[ip("192.168.100.34")].mac, std::nullopt);
  apply({real("192.168.100.34"), real("192.168.100.35")});
  EXPECT_EQ(entry("192.168.100.34").state, XD_ACTIVE);
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.35")));
  around_.next_hops[ip("192.168.100.34")].mac = found;
  apply({real("192.168.100.34"), real("192.168.100.35")});
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.34"), slot("192.168.100.35")));
}

TEST_F(TablesTest, AMarkOnOneAddressIsCheckedByAddressOnSeveralByNone) {
  VirtualServer ftp = rest({real("192.168.100.34")});
  ftp.key = {.mark = 300};
  Config config{.port_marks = {{300, ip("192.168.100.111"), Protocol::tcp, 9814, 9814}}, .virtual_servers = {ftp}};
  apply(config);
  EXPECT_EQ(tables_.real_servers.at(1).virtual_address, ip("192.168.100.111"));
  EXPECT_EQ(tables_.real_servers.at(1).virtual_port, 0);
  config.port_marks.push_back({300, ip("192.168.100.112"), Protocol::tcp, 9814, 9814});
  apply(config);
  EXPECT_EQ(tables_.real_servers.at(1).virtual_address, base::Ip());
}

TEST_F(TablesTest, AMarkIsOfOneFamily) {
  VirtualServer ftp = rest({real("192.168.100.34")}), ftp6 = rest({real("fd00:100::34")});
  ftp.key = {.mark = 300};
  ftp6.key = {.mark = 300, .mark_v6 = true};
  apply(Config{.port_marks = {{300, ip("192.168.100.111"), Protocol::tcp, 9814, 9814},
                              {300, ip("fd00:100::111"), Protocol::tcp, 9814, 9814}},
               .virtual_servers = {ftp, ftp6}});
  EXPECT_EQ(tables_.services.size(), 2u);
  EXPECT_EQ(tables_.real_servers.at(1).virtual_address, ip("192.168.100.111"));
  EXPECT_EQ(tables_.real_servers.at(2).virtual_address, ip("fd00:100::111"));
}

TEST_F(TablesTest, ALeaseKeepsItsIndexAndIsTakenOffOnlyOnceItsAddressIs) {
  VrrpInstance one{.name = "VI_1", .interface = "eth0", .virtual_addresses = {ip("192.168.100.111").v4()}};
  VrrpInstance two{.name = "VI_2", .interface = "eth0", .virtual_addresses = {ip("192.168.100.112").v4()}};
  around_.interface_index["eth0"] = 3;
  apply(Config{.vrrp_instances = {one, two}});
  EXPECT_EQ(tables_.leases.at(ip("192.168.100.112")), (LeaseEntry{1, 3}));
  apply(Config{.vrrp_instances = {two}});
  EXPECT_TRUE(tables_.leases.contains(ip("192.168.100.111"))) << "still fenced while the worker takes it off";
  around_.released = {ip("192.168.100.111")};
  apply(Config{.vrrp_instances = {two}});
  EXPECT_FALSE(tables_.leases.contains(ip("192.168.100.111")));
  EXPECT_EQ(tables_.leases.at(ip("192.168.100.112")).index, 1u);
}

// --- a director that is a real server, too ---

class LocalTest : public TablesTest {
 protected:
  LocalTest() {
    around_.next_hops[ip("192.168.100.34")] = {.local = true};
    around_.interface_mac[3] = mac("02:00:00:00:00:44");
    around_.interface_index["eth0"] = 3;
    config_ = {.peer_directors = {ip("192.168.100.35")},
               .vrrp_instances = {{.interface = "eth0", .virtual_addresses = {ip("192.168.100.111").v4()}}},
               .virtual_servers = {rest({real("192.168.100.34"), real("192.168.100.35")})}};
  }

  bool served_here() const { return tables_.leases.at(ip("192.168.100.111")).served_here; }

  Config config_;
};

TEST_F(LocalTest, ThisDirectorHasItsTurnLikeAnyRealServer) {
  apply(config_);
  EXPECT_TRUE(entry("192.168.100.34").next_hop.local);
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.34"), slot("192.168.100.35")));
}

TEST_F(LocalTest, TheMacAddressesOfPeersAreKnownOnEveryInterface) {
  around_.interface_mac[4] = mac("02:00:00:00:00:45");
  apply(config_);
  EXPECT_THAT(tables_.interfaces.at(3).peers, ElementsAre(mac("02:00:00:00:00:35")));
  EXPECT_THAT(tables_.interfaces.at(4).peers, ElementsAre(mac("02:00:00:00:00:35")));
}

// Else two directors that know each other half would send a packet to and fro.
TEST_F(LocalTest, NothingIsSentToAPeerThatIsNotKnownYet) {
  around_.next_hops[ip("192.168.100.35")].mac.reset();
  apply(config_);
  EXPECT_THAT(tables_.interfaces.at(3).peers, IsEmpty());
  EXPECT_THAT(cycle(), ElementsAre(slot("192.168.100.34")));
  EXPECT_FALSE(entry("192.168.100.35").next_hop.reachable());
}

TEST_F(LocalTest, ItsVirtualAddressIsServedHere) {
  apply(config_);
  EXPECT_TRUE(served_here());
  around_.next_hops[ip("192.168.100.34")] = around_.next_hops[ip("192.168.100.36")];
  apply(config_);
  EXPECT_FALSE(served_here()) << "the address has left this host";
}

TEST_F(LocalTest, SoAreAllAddressesOfItsMark) {
  config_.virtual_servers[0].key = {.mark = 300};
  config_.port_marks = {{.mark = 300, .address = ip("192.168.100.111"), .first_port = 1, .last_port = 2},
                        {.mark = 301, .address = ip("192.168.100.112"), .first_port = 1, .last_port = 2}};
  config_.vrrp_instances[0].virtual_addresses.push_back(ip("192.168.100.112").v4());
  apply(config_);
  EXPECT_TRUE(served_here());
  EXPECT_FALSE(tables_.leases.at(ip("192.168.100.112")).served_here);
}

}  // namespace model
