// SPDX-License-Identifier: Apache-2.0
// What runs, but probably not as it is meant: the warnings, and where there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_support.hpp"

namespace config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::found_in;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json;
using testing::reference;
using testing::smallest;
using ::testing::StartsWith;

constexpr const char* kOverlap9826 =
    "warning: virtual_servers[1]: TCP 192.168.100.111:9826 lies in ports 8000-10000 of port_marks[1] (mark 300). Here "
    "the "
    "most specific wins: \"rest\" gets its connections. On IPVS the mark wins: \"ftp\" would get them";

TEST(Overlaps, AreGoneWhenThePortIsOutsideTheRange) {
  json config = reference();
  config["port_marks"][1]["ports"] = "8000-9825";
  EXPECT_THAT(found_in(config), IsEmpty());
  config["port_marks"][1]["ports"] = "9827-10000";
  EXPECT_THAT(found_in(config), IsEmpty());
  config["port_marks"][1]["ports"] = "8000-9826";
  EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("lies in ports 8000-9826 of port_marks[1]")));
}

TEST(Overlaps, AreOfTheSameAddressAndProtocolOnly) {
  json config = reference();
  config["virtual_servers"][1]["protocol"] = "UDP";
  EXPECT_THAT(found_in(config), IsEmpty());
  config = reference();
  config["virtual_servers"][1]["address"] = "192.168.100.112";
  EXPECT_THAT(found_in(config), IsEmpty());
}

TEST(Overlaps, AreToldOncePerVirtualServerWithTheRuleThatWouldHaveWon) {
  json config = reference();
  json other = config["virtual_servers"][0];
  other["name"] = "other";
  other["fwmark"] = 301;
  config["virtual_servers"].push_back(other);
  config["port_marks"].push_back({{"mark", 301}, {"address", "192.168.100.111"}, {"ports", "9826"}});
  EXPECT_THAT(found_in(config), ElementsAre(AllOf(HasSubstr("lies in port 9826 of port_marks[2] (mark 301)"),
                                                  HasSubstr("\"other\" would"))));
}

TEST(LonelyMarks, AVirtualServerWhoseMarkNothingSets) {
  json config = reference();
  config.erase("port_marks");
  EXPECT_THAT(found_in(config),
              ElementsAre("warning: virtual_servers[0].fwmark: no entry of \"port_marks\" sets mark 300 for TCP: this "
                          "virtual server gets no packets (marks of iptables do not count, XDP runs before it)"));
}

TEST(LonelyMarks, AMarkThatNoVirtualServerHas) {
  json config = reference();
  config["port_marks"][0]["mark"] = 30;
  EXPECT_THAT(found_in(config),
              ElementsAre("warning: port_marks[0].mark: no virtual server has fwmark 30 for TCP: this "
                          "mark has no effect",
                          kOverlap9826));
}

TEST(LonelyMarks, AreOfTheProtocolToo) {
  json config = reference();
  config["virtual_servers"][0]["protocol"] = "UDP";
  EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("port_marks[0].mark: no virtual server has fwmark 300 for TCP"),
                                            HasSubstr("port_marks[1].mark"), HasSubstr("sets mark 300 for UDP")));
}

TEST(LonelyMarks, AreNotGuessedWhenAMarkCannotBeRead) {
  json config = reference();
  config["virtual_servers"][0]["fwmark"] = "300";
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers[0].fwmark: found a text; expected a whole number from 1 to 4294967295"));
}

TEST(Weights, ThatSumUpToZero) {
  json config = smallest();
  config["virtual_servers"][0]["real_servers"][0]["weight"] = 0;
  EXPECT_THAT(
      found_in(config),
      ElementsAre("warning: virtual_servers[0].real_servers: all weights are 0: every new connection is dropped"));
  config["virtual_servers"][0]["real_servers"] = json::array();
  EXPECT_THAT(
      found_in(config),
      ElementsAre("warning: virtual_servers[0].real_servers: there is no real server: every connection is dropped"));
}

TEST(DirectRouting, DoesNotChangePorts) {
  json config = smallest();
  config["virtual_servers"][0]["real_servers"][0]["port"] = 8080;
  EXPECT_THAT(
      found_in(config),
      ElementsAre("warning: virtual_servers[0].real_servers[0].port: 8080 is not the virtual server's 80. Direct "
                  "routing does not change ports: connections arrive at port 80 of 10.0.0.1"));
}

TEST(RealServers, ThatAreVirtualAddresses) {
  json config = smallest();
  config["virtual_servers"][0]["real_servers"][0]["address"] = "10.0.0.100";
  EXPECT_THAT(
      found_in(config),
      ElementsAre("warning: virtual_servers[0].real_servers[0].address: 10.0.0.100 is a virtual address: packets "
                  "would come back to the director; give the real server's own address"));
}

TEST(Warnings, AreShownAfterTheErrors) {
  json config = reference();
  config["virtual_servers"][1]["delay_loop"] = "6";
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers[1].delay_loop: found a text; expected 0.1 to 86400 seconds"))
      << "the overlap is not told: it is about something that is wrong itself";
  config = reference();
  config["router_id"] = 1;
  EXPECT_THAT(found_in(config), ElementsAre(StartsWith("router_id: "), kOverlap9826));
}

TEST(Doubts, AGranularityWithoutPersistence) {
  json config = smallest();
  config["virtual_servers"][0]["persistence_granularity"] = 24;
  EXPECT_THAT(found_in(config),
              ElementsAre("warning: virtual_servers[0].persistence_granularity: has no effect without "
                          "\"persistence_timeout\""));
  config["virtual_servers"][0]["persistence_timeout"] = 900;
  EXPECT_THAT(found_in(config), IsEmpty());
}

TEST(Doubts, APeerDirectorThatIsNoRealServer) {
  json config = smallest();
  config["peer_directors"] = {"10.0.0.1"};
  EXPECT_THAT(found_in(config), IsEmpty());
  config["peer_directors"] = {"10.0.0.9"};
  EXPECT_THAT(
      found_in(config),
      ElementsAre("warning: peer_directors[0]: 10.0.0.9 is not the address of a real server. If that machine is "
                  "one, give the address that it has as one; else packets could go to and fro between the "
                  "directors"));
}

}  // namespace
}  // namespace config
