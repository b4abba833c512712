// SPDX-License-Identifier: Apache-2.0
// What no section can see alone: names, addresses and keys that are there twice, and the sizes of the tables.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_support.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using testing::found_in;
using ::testing::IsEmpty;
using testing::json;
using testing::smallest;

// smallest() without its virtual servers.
json only_vrrp() {
  json config = smallest();
  config.erase("virtual_servers");
  return config;
}

json instance(int index) {
  return {{"name", fmt::format("VI_{}", index)},
          {"interface", "eth0"},
          {"virtual_router_id", index},
          {"virtual_ipaddress", {fmt::format("10.1.{}.1", index)}}};
}

json virtual_server(const std::string& address, int port) {
  return {{"address", address},
          {"port", port},
          {"lb_algo", "wrr"},
          {"lb_kind", "DR"},
          {"real_servers", {{{"address", "10.0.0.1"}, {"port", port}}}}};
}

std::string address(int number) {
  return fmt::format("10.{}.{}.{}", 2 + number / 65536, number / 256 % 256, number % 256);
}

TEST(Contradictions, TwoInstancesOfOneName) {
  json config = only_vrrp();
  config["vrrp_instances"] = {instance(1), instance(2)};
  config["vrrp_instances"][1]["name"] = "VI_1";
  EXPECT_THAT(found_in(config),
              ElementsAre("vrrp_instances[1].name: \"VI_1\" is the name of vrrp_instances[0] already; "
                          "each instance needs its own"));
}

TEST(Contradictions, AVirtualAddressThatIsThereTwice) {
  json config = only_vrrp();
  config["vrrp_instances"] = {instance(1), instance(2)};
  config["vrrp_instances"][1]["virtual_ipaddress"] = {"10.1.2.1", "10.1.1.1", "10.1.2.1"};
  EXPECT_THAT(
      found_in(config),
      ElementsAre(
          "vrrp_instances[1].virtual_ipaddress[1]: 10.1.1.1 is at vrrp_instances[0].virtual_ipaddress[0] already; "
          "a virtual address belongs to one instance, once",
          "vrrp_instances[1].virtual_ipaddress[2]: 10.1.2.1 is at vrrp_instances[1].virtual_ipaddress[0] already; "
          "a virtual address belongs to one instance, once"));
}

TEST(Contradictions, TwoVirtualServersOfOneNameOrOneKey) {
  json config = smallest();
  config["virtual_servers"] = {virtual_server("10.0.0.100", 80), virtual_server("10.0.0.100", 81),
                               virtual_server("10.0.0.100", 80)};
  config["virtual_servers"][0]["name"] = "web";
  config["virtual_servers"][1]["name"] = "web";
  EXPECT_THAT(
      found_in(config),
      ElementsAre("virtual_servers[1].name: \"web\" is the name of virtual_servers[0] already; each virtual server "
                  "needs its own",
                  "virtual_servers[2]: TCP 10.0.0.100:80 is virtual_servers[0] already; put all its real servers "
                  "there"));
}

TEST(Contradictions, TheSamePortOfAnotherProtocolIsAnotherVirtualServer) {
  json config = smallest();
  config["virtual_servers"] = {virtual_server("10.0.0.100", 53), virtual_server("10.0.0.100", 53)};
  config["virtual_servers"][1]["protocol"] = "UDP";
  EXPECT_THAT(found_in(config), IsEmpty());
}

TEST(Contradictions, ARealServerThatIsThereTwice) {
  json config = smallest();
  config["virtual_servers"][0]["real_servers"].push_back({{"address", "10.0.0.1"}, {"port", 80}, {"weight", 2}});
  EXPECT_THAT(found_in(config), ElementsAre("virtual_servers[0].real_servers[1]: 10.0.0.1:80 is "
                                            "virtual_servers[0].real_servers[0] already; give it more weight there"));
}

TEST(Limits, VirtualAddresses) {
  json config = only_vrrp();
  config["vrrp_instances"] = {instance(1), instance(2)};
  for (int i = 0; i < 127; ++i) {
    config["vrrp_instances"][0]["virtual_ipaddress"].push_back(address(2 * i));
    config["vrrp_instances"][1]["virtual_ipaddress"].push_back(address(2 * i + 1));
  }
  EXPECT_THAT(found_in(config), IsEmpty());
  config["vrrp_instances"][1]["virtual_ipaddress"].push_back("10.9.9.9");
  EXPECT_THAT(found_in(config), ElementsAre("vrrp_instances: 257 virtual addresses in all instances; allowed are 256"));
}

TEST(Limits, VirtualAddressesOfAnInstance) {
  json config = only_vrrp();
  for (int i = 0; i < 255; ++i) config["vrrp_instances"][0]["virtual_ipaddress"].push_back(address(i));
  EXPECT_THAT(found_in(config),
              ElementsAre("vrrp_instances[0].virtual_ipaddress: an advertisement holds no more than 255 "
                          "addresses; put the others into \"virtual_ipaddress_excluded\""));
}

TEST(Limits, VirtualServers) {
  json config = smallest();
  config["virtual_servers"] = json::array();
  for (int i = 0; i < 4097; ++i) config["virtual_servers"].push_back(virtual_server(address(i), 80));
  EXPECT_THAT(found_in(config), ElementsAre("virtual_servers: 4097 virtual servers; allowed are 4096"));
}

TEST(Limits, RealServers) {
  json config = smallest();
  auto& real_servers = config["virtual_servers"][0]["real_servers"];
  real_servers = json::array();
  for (int i = 0; i < 49152; ++i) real_servers.push_back({{"address", address(i)}, {"port", 80}});
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers: 49152 real servers in all virtual servers; allowed are 49151"));
}

TEST(Limits, RulesPerMarkedAddress) {
  json config = smallest();
  config["virtual_servers"][0].erase("address");
  config["virtual_servers"][0].erase("port");
  config["virtual_servers"][0]["fwmark"] = 1;
  for (int i = 1; i <= 64; ++i) {
    config["port_marks"].push_back({{"mark", 1}, {"address", "10.0.0.100"}, {"ports", fmt::format("{}", i)}});
  }
  EXPECT_THAT(found_in(config), IsEmpty());
  config["port_marks"].push_back({{"mark", 1}, {"address", "10.0.0.100"}, {"ports", "65"}});
  EXPECT_THAT(found_in(config), ElementsAre("port_marks[64]: more than 64 port ranges for TCP of 10.0.0.100; put "
                                            "neighbouring ranges together"));
}

// A cycle takes sum(weights) / gcd(weights) entries, the Maglev table beside it at most 65521; the old ones stay while
// new ones are made.
TEST(Limits, Schedules) {
  json config = smallest();
  auto& real_servers = config["virtual_servers"][0]["real_servers"];
  real_servers = json::array();
  for (int i = 0; i < 31; ++i) {
    real_servers.push_back({{"address", address(i)}, {"port", 80}, {"weight", 65535}});
  }
  real_servers.push_back({{"address", address(32)}, {"port", 80}, {"weight", 46}});
  EXPECT_THAT(found_in(config), IsEmpty()) << "2^21 entries are just enough";
  real_servers.push_back({{"address", address(33)}, {"port", 80}, {"weight", 1}});
  EXPECT_THAT(
      found_in(config),
      ElementsAre(
          "virtual_servers: the weights need schedules of 2097153 entries together; allowed are 2097152. A "
          "virtual server takes about 33 times the sum of its weights divided by their greatest common divisor: "
          "use smaller weights"));
  for (auto& real : real_servers) real["weight"] = 65535;
  EXPECT_THAT(found_in(config), IsEmpty()) << "equal weights make a short schedule";
}

TEST(Contradictions, PersistenceOfSinglePackets) {
  json config = smallest();
  json& server = config["virtual_servers"][0];
  server["protocol"] = "UDP";
  server["ops"] = true;
  EXPECT_THAT(found_in(config), IsEmpty());
  server["persistence_timeout"] = 60;
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers[0].ops: of a virtual server with ops nothing is remembered; "
                          "remove it, or \"persistence_timeout\""));
}

TEST(Contradictions, AVirtualServerOfTwoFamilies) {
  json config = smallest();
  config["virtual_servers"][0] = virtual_server("2001:db8::100", 80);
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers[0].real_servers[0].address: 10.0.0.1 is IPv4, but 2001:db8::100 is IPv6; a "
                          "virtual server has one family: give the real server's IPv6 address"));
}

TEST(Contradictions, AMarkOfTwoFamilies) {
  json config = smallest();
  json& server = config["virtual_servers"][0];
  server.erase("address");
  server.erase("port");
  server["fwmark"] = 6;
  server["name"] = "ftp";
  config["port_marks"] = {{{"mark", 6}, {"address", "2001:db8::100"}, {"ports", "21"}}};
  EXPECT_EQ(
      found_in(config).front(),
      "port_marks[0].address: 2001:db8::100 is IPv6, but the real servers of \"ftp\", which has fwmark 6, are IPv4; "
      "a virtual server has one family: give it real servers of IPv6, or the address another mark");
  json other = server;
  other["name"] = "ftp6";
  other["real_servers"][0]["address"] = "2001:db8::34";
  config["virtual_servers"].push_back(other);
  config["port_marks"].push_back({{"mark", 6}, {"address", "10.0.0.100"}, {"ports", "21"}});
  EXPECT_THAT(found_in(config), IsEmpty()) << "a virtual server for each family";
}

TEST(Contradictions, AMarkWithoutAddressesWithRealServersOfTwoFamilies) {
  json config = smallest();
  json& server = config["virtual_servers"][0];
  server.erase("address");
  server.erase("port");
  server["fwmark"] = 6;
  server["real_servers"].push_back({{"address", "fd00::34"}, {"port", 80}});
  EXPECT_EQ(found_in(config).front(),
            "virtual_servers[0].real_servers[1].address: fd00::34 is IPv6, but 10.0.0.1 is IPv4; a virtual server has "
            "one family: give the real server's IPv4 address");
}

TEST(Contradictions, APeerDirectorThatIsNone) {
  json config = smallest();
  config["vrrp_instances"][0]["mcast_src_ip"] = "10.0.0.2";
  config["peer_directors"] = {"10.0.0.1", "10.0.0.2", "10.0.0.100", "10.0.0.1"};
  EXPECT_THAT(
      found_in(config),
      ElementsAre(
          "peer_directors[1]: 10.0.0.2 is the mcast_src_ip of \"VI_1\"; give the other director's own address",
          "peer_directors[2]: 10.0.0.100 is a virtual address of \"VI_1\"; give the other director's own address",
          "peer_directors[3]: 10.0.0.1 is peer_directors[0] already"));
}

TEST(Contradictions, MorePeerDirectorsThanThereIsRoomFor) {
  json config = smallest();
  auto& real_servers = config["virtual_servers"][0]["real_servers"];
  for (int i = 0; i < 7; ++i) {
    config["peer_directors"].push_back(address(i));
    real_servers.push_back({{"address", address(i)}, {"port", 80}});
  }
  EXPECT_THAT(found_in(config), ElementsAre("peer_directors: 7 peer directors; allowed are 6"));
}

}  // namespace
}  // namespace config
