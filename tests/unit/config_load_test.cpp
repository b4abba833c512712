// SPDX-License-Identifier: Apache-2.0
// A configuration that is right becomes the values it says, with keepalived's defaults for what it does not say.
#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_support.hpp"

namespace config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

class Reference : public ::testing::TestWithParam<const char*> {
 protected:
  std::string path() const { return std::string(XD_SOURCE_DIR "/examples/reference/") + GetParam(); }
};

TEST_P(Reference, IsAcceptedWithExactlyTheOverlapAsWarning) {
  const auto loaded = load_file(path());
  ASSERT_TRUE(loaded) << ::testing::PrintToString(testing::lines(loaded.error()));
  EXPECT_THAT(
      testing::lines(loaded->warnings),
      ElementsAre(path() +
                  ":22: warning: virtual_servers[1]: TCP 192.168.100.111:9826 lies in ports 8000-10000 of "
                  "port_marks[1] (mark 300). Here the most specific wins: \"rest\" gets its connections. On IPVS "
                  "the mark wins: \"ftp\" would get them"));
}

INSTANTIATE_TEST_SUITE_P(Directors, Reference, ::testing::Values("director-1.json", "director-2.json"));

TEST(TwoMachines, NameEachOtherAsPeerAndBothAsRealServers) {
  const auto one = load_file(XD_SOURCE_DIR "/examples/two-machines/director-1.json");
  const auto two = load_file(XD_SOURCE_DIR "/examples/two-machines/director-2.json");
  ASSERT_TRUE(one && two);
  EXPECT_THAT(one->config.peer_directors, ElementsAre(two->config.vrrp_instances[0].source));
  EXPECT_THAT(two->config.peer_directors, ElementsAre(one->config.vrrp_instances[0].source));
  EXPECT_EQ(one->config.virtual_servers, two->config.virtual_servers);
  EXPECT_EQ(one->warnings.size(), 1u) << "the overlap, as in the reference";
}

TEST(Crossed, BothDirectorsAreMasterOfOneAddressEachAndServeBoth) {
  const auto one = load_file(XD_SOURCE_DIR "/examples/crossed/director-1.json");
  const auto two = load_file(XD_SOURCE_DIR "/examples/crossed/director-2.json");
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->warnings.size(), 1u) << "the overlap, as in the reference";
  EXPECT_EQ(one->config.virtual_servers, two->config.virtual_servers);
  for (size_t i = 0; i < 2; ++i) {
    const model::VrrpInstance &here = one->config.vrrp_instances.at(i), &there = two->config.vrrp_instances.at(i);
    EXPECT_EQ(here.virtual_router_id, there.virtual_router_id);
    EXPECT_EQ(here.virtual_addresses, there.virtual_addresses);
    EXPECT_NE(here.state, there.state);
    EXPECT_EQ(here.priority > there.priority, i == 0);
  }
}

model::RealServer real_server(const char* address, uint16_t port) {
  return {.address = ip(address),
          .port = port,
          .weight = 1,
          .checks = {{.connect_timeout = 3s, .retry = 3, .delay_before_retry = 3s, .connect_port = port}}};
}

TEST(Load, GivesTheReferenceConfigurationAsValues) {
  const auto loaded = load(testing::reference().dump(), "f");
  ASSERT_TRUE(loaded);
  model::Config expected{
      .router_id = "T_LVS",
      .connection_slots = 1048576,
      .connection_slots_ipv6 = 262144,
      .persistence_slots = 262144,
      .vrrp_instances = {{.name = "VI_1",
                          .state = model::InitialState::master,
                          .interface = "enp1s0",
                          .virtual_router_id = 100,
                          .priority = 100,
                          .source = ip("192.168.100.244"),
                          .auth_pass = "xxxx",
                          .virtual_addresses = {ip("192.168.100.111")}}},
      .port_marks = {{.mark = 300, .address = ip("192.168.100.111"), .first_port = 9814, .last_port = 9814},
                     {.mark = 300, .address = ip("192.168.100.111"), .first_port = 8000, .last_port = 10000}},
      .virtual_servers = {
          {.name = "ftp",
           .key = {.mark = 300},
           .delay_loop = 6s,
           .persistence_timeout = 900s,
           .tcp_timeout = 900s,
           .tcp_fin_timeout = 120s,
           .udp_timeout = 300s,
           .real_servers = {real_server("192.168.100.34", 9814), real_server("192.168.100.35", 9814)}},
          {.name = "rest",
           .key = {.address = ip("192.168.100.111"), .port = 9826},
           .delay_loop = 6s,
           .tcp_timeout = 900s,
           .tcp_fin_timeout = 120s,
           .udp_timeout = 300s,
           .real_servers = {real_server("192.168.100.34", 9826), real_server("192.168.100.35", 9826)}}}};
  EXPECT_EQ(loaded->config, expected);
}

TEST(Load, FillsInKeepalivedsDefaults) {
  auto text = testing::smallest();
  text["virtual_servers"][0]["real_servers"][0]["checks"] = {{{"type", "tcp"}}};
  const auto loaded = load(text.dump(), "f");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  const model::VrrpInstance& instance = loaded->config.vrrp_instances.at(0);
  EXPECT_EQ(instance.state, model::InitialState::backup);
  EXPECT_EQ(instance.priority, 100);
  EXPECT_EQ(instance.advert_int, 1s);
  EXPECT_FALSE(instance.nopreempt);
  EXPECT_EQ(instance.source, base::Ip());
  EXPECT_EQ(instance.auth_pass, "");
  const model::VirtualServer& server = loaded->config.virtual_servers.at(0);
  EXPECT_EQ(server.name, "TCP 10.0.0.100:80");
  EXPECT_EQ(server.delay_loop, 60s);
  EXPECT_EQ(server.persistence_timeout, 0s);
  EXPECT_EQ(server.persistence_prefix, 32);
  const model::RealServer& real = server.real_servers.at(0);
  EXPECT_EQ(real.weight, 1);
  EXPECT_FALSE(real.inhibit_on_failure);
  EXPECT_EQ(real.checks.at(0),
            (model::TcpCheck{.connect_timeout = 5s, .retry = 1, .delay_before_retry = 1s, .connect_port = 80}));
}

TEST(Load, TakesFractionsOfASecondAndSlash32) {
  auto text = testing::smallest();
  text["vrrp_instances"][0]["virtual_ipaddress"] = {"10.0.0.100/32"};
  text["virtual_servers"][0]["delay_loop"] = 0.25;
  const auto loaded = load(text.dump(), "f");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.vrrp_instances.at(0).virtual_addresses.at(0), ip("10.0.0.100"));
  EXPECT_EQ(loaded->config.virtual_servers.at(0).delay_loop, 250ms);
}

TEST(Load, TakesKeepalivedsSchedulersAndTheirOptions) {
  auto text = testing::smallest();
  auto& server = text["virtual_servers"][0];
  for (const char* word : {"rr", "wrr", "lc", "wlc", "sh", "mh"}) {
    server["lb_algo"] = word;
    const auto loaded = load(text.dump(), "f");
    ASSERT_TRUE(loaded) << word;
    EXPECT_STREQ(model::name(loaded->config.virtual_servers.at(0).scheduler), word);
    EXPECT_FALSE(loaded->config.virtual_servers.at(0).hash_port);
    EXPECT_FALSE(loaded->config.virtual_servers.at(0).one_packet);
  }
  server["mh-port"] = true;
  server["protocol"] = "UDP";
  server["ops"] = true;
  const auto loaded = load(text.dump(), "f");
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->config.virtual_servers.at(0).hash_port);
  EXPECT_TRUE(loaded->config.virtual_servers.at(0).one_packet);
}

TEST(Load, TakesIpv6Addresses) {
  const auto loaded = load(R"({
    "interfaces": ["eth0"],
    "port_marks": [{ "mark": 6, "address": "2001:DB8:0:0::1", "ports": "21" }],
    "virtual_servers": [
      { "address": "2001:db8::1", "port": 80, "lb_algo": "wrr", "lb_kind": "DR",
        "real_servers": [{ "address": "fd00:100::34", "port": 80 }] },
      { "fwmark": 6, "lb_algo": "wrr", "lb_kind": "DR", "persistence_timeout": 900, "persistence_granularity": 64,
        "real_servers": [{ "address": "fd00:100::34", "port": 21 }] }
    ] })",
                           "f");
  ASSERT_TRUE(loaded) << testing::lines(loaded.error()).front();
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(loaded->config.port_marks.at(0).address, *base::Ip::parse("2001:db8::1"));
  const model::VirtualServer& rest = loaded->config.virtual_servers.at(0);
  EXPECT_EQ(rest.name, "TCP [2001:db8::1]:80");
  EXPECT_EQ(rest.persistence_prefix, 128);
  EXPECT_EQ(rest.real_servers.at(0).address, *base::Ip::parse("fd00:100::34"));
  EXPECT_TRUE(loaded->config.virtual_servers.at(1).key.is_v6()) << "a mark's family is its real servers'";
  EXPECT_EQ(loaded->config.virtual_servers.at(1).persistence_prefix, 64);
}

TEST(Load, AMarkWithoutRealServersHasTheFamilyOfItsAddresses) {
  const auto loaded = load(R"({
    "interfaces": ["eth0"],
    "port_marks": [{ "mark": 6, "address": "2001:db8::1", "ports": "21" }],
    "virtual_servers": [{ "fwmark": 6, "lb_algo": "wrr", "lb_kind": "DR", "real_servers": [] }] })",
                           "f");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(testing::lines(loaded->warnings),
            std::vector<std::string>{"f:4: warning: virtual_servers[0].real_servers: there is no real server: every "
                                     "connection is dropped"});
  EXPECT_TRUE(loaded->config.virtual_servers.at(0).key.is_v6());
}

TEST(Load, TakesAGranularityAsNetmaskOrAsPrefixLength) {
  auto text = testing::smallest();
  text["virtual_servers"][0]["persistence_timeout"] = 900;
  for (const nlohmann::json& granularity : {nlohmann::json("255.255.255.0"), nlohmann::json(24)}) {
    text["virtual_servers"][0]["persistence_granularity"] = granularity;
    const auto loaded = load(text.dump(), "f");
    ASSERT_TRUE(loaded) << granularity;
    EXPECT_EQ(loaded->config.virtual_servers.at(0).persistence_prefix, 24) << granularity;
  }
}

TEST(Load, TimeoutsOfAVirtualServerOverrideTheGlobalOnes) {
  auto text = testing::smallest();
  text["lvs_timeouts"] = {{"tcp", 600}, {"udp", 30}};
  text["virtual_servers"][0]["lvs_timeouts"] = {{"tcp", 3600}};
  const auto loaded = load(text.dump(), "f");
  ASSERT_TRUE(loaded);
  const model::VirtualServer& server = loaded->config.virtual_servers.at(0);
  EXPECT_EQ(server.tcp_timeout, 3600s);
  EXPECT_EQ(server.tcp_fin_timeout, 120s);
  EXPECT_EQ(server.udp_timeout, 30s);
}

TEST(Load, WorksWithoutVrrpOnListedInterfaces) {
  const auto loaded = load(R"({ "interfaces": ["eth0", "eth1"], "connection_slots": 1024,
                               "connection_slots_ipv6": 2048, "persistence_slots": 4096 })",
                           "f");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.attached_interfaces(), ElementsAre("eth0", "eth1"));
  EXPECT_EQ(loaded->config.connection_slots, 1024u);
  EXPECT_EQ(loaded->config.connection_slots_ipv6, 2048u);
  EXPECT_EQ(loaded->config.persistence_slots, 4096u);
}

TEST(LoadFile, SaysWhyAFileCannotBeRead) {
  const auto missing = load_file("/nonexistent/x.json");
  ASSERT_FALSE(missing);
  EXPECT_THAT(testing::lines(missing.error()),
              ElementsAre("/nonexistent/x.json: cannot read: No such file or directory"));
  const auto directory = load_file("/");
  ASSERT_FALSE(directory);
  EXPECT_THAT(testing::lines(directory.error()), ElementsAre("/: cannot read: Is a directory"));
}

}  // namespace
}  // namespace config
