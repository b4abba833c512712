// SPDX-License-Identifier: Apache-2.0
// Messages survive encode and decode unchanged; decode refuses everything else with a sentence, and never throws.
#include "ipc/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace ipc {
namespace {

using testing::HasSubstr;

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

model::VrrpInstance instance() {
  return {.name = "VI_1",
          .state = model::InitialState::master,
          .interface = "enp1s0",
          .virtual_router_id = 100,
          .priority = 255,
          .nopreempt = true,
          .source = ip("192.168.100.244"),
          .auth_pass = "p\"\\\xc3\xa9ss",
          .virtual_addresses = {ip("192.168.100.111"), ip("255.255.255.254")}};
}

HealthTarget target() {
  return {.id = std::numeric_limits<uint64_t>::max(),
          .virtual_server = "ftp",
          .address = ip("192.168.100.34"),
          .port = 65535,
          .delay_loop = base::from_seconds(0.25),
          .checks = {{.connect_timeout = std::chrono::seconds(3),
                      .retry = 3,
                      .delay_before_retry = std::chrono::milliseconds(1500),
                      .connect_port = 9814},
                     {}},
          .up = false};
}

class RoundTrip : public testing::TestWithParam<Message> {};

TEST_P(RoundTrip, GivesTheSameMessageBack) {
  const auto decoded = decode(encode(GetParam()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    EveryMessage, RoundTrip,
    testing::Values(
        Message(ConfigureVrrp{}),
        Message(ConfigureVrrp{
            .instances = {{.instance = instance(), .lease = {0, 4294967295u}, .served_here = {ip("192.168.100.111")}},
                          {.instance = {}, .lease = {}}}}),
        Message(ConfigureHealth{}), Message(ConfigureHealth{.targets = {target(), {}}}), Message(Stop{}),
        Message(Heartbeat{.at = base::Time{std::numeric_limits<int64_t>::max()}}), Message(VrrpReport{}),
        Message(VrrpReport{.instance = "VI_1",
                           .state = VrrpState::fault,
                           .reason = "eth0 is down",
                           .since_unix = -1,
                           .priority = 50,
                           .master = ip("192.168.100.145"),
                           .adverts_sent = 1,
                           .adverts_received = 2,
                           .adverts_rejected = 3,
                           .send_errors = std::numeric_limits<uint64_t>::max(),
                           .last_rejected = "TTL 64, not 255"}),
        Message(HealthReport{}),
        Message(HealthReport{
            .id = 7, .up = false, .unknown = true, .outcome = "no descriptors", .at_unix = 1'700'000'000})));

TEST(Encode, IsOneLineOfJsonThatNamesItsType) {
  EXPECT_EQ(encode(Heartbeat{.at = base::Time{42}}), R"({"at":42,"type":"heartbeat"})");
  EXPECT_THAT(encode(VrrpReport{.state = VrrpState::master}), HasSubstr(R"("state":"MASTER")"));
}

TEST(Encode, ReplacesBytesThatAreNotUtf8InsteadOfThrowing) {
  const auto decoded = decode(encode(HealthReport{.outcome = "banner \xff\xfe"}));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<HealthReport>(*decoded).outcome, "banner \xef\xbf\xbd\xef\xbf\xbd");
}

struct Refused {
  const char* text;
  const char* because;
};

class Decode : public testing::TestWithParam<Refused> {};

TEST_P(Decode, Refuses) {
  const auto decoded = decode(GetParam().text);
  ASSERT_FALSE(decoded) << GetParam().text;
  EXPECT_EQ(decoded.error().message, GetParam().because) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    WhatIsWrong, Decode,
    testing::Values(
        Refused{"", "message is not a JSON object"}, Refused{"{", "message is not a JSON object"},
        Refused{"[]", "message is not a JSON object"}, Refused{"{}", "type is missing"},
        Refused{R"({"type":1})", "type is not a text"},
        Refused{R"({"type":"hello"})", R"(unknown message type "hello")"},
        Refused{R"({"type":"stop","now":1})", "stop: message has unknown fields"},
        Refused{R"({"type":"heartbeat"})", "heartbeat: at is missing"},
        Refused{R"({"type":"heartbeat","at":"1"})", "heartbeat: at is not a whole number of 64 bits"},
        Refused{R"({"type":"heartbeat","at":1.5})", "heartbeat: at is not a whole number of 64 bits"},
        Refused{R"({"type":"heartbeat","at":9223372036854775808})", "heartbeat: at is not a whole number of 64 bits"},
        Refused{R"({"type":"configure_vrrp","instances":{}})", "configure_vrrp: instances is not a list"},
        Refused{R"({"type":"configure_vrrp","instances":[7]})", "configure_vrrp: instances[0] is not an object"},
        Refused{R"({"type":"configure_vrrp","instances":[{"instance":{}}]})",
                "configure_vrrp: instances[0].instance.name is missing"},
        Refused{R"({"type":"configure_health","targets":[{"id":-1}]})",
                "configure_health: targets[0].id is not a whole number of 64 bits"},
        Refused{R"({"type":"configure_health","targets":[{"id":1,"virtual_server":"a","address":"1.2.3","port":1}]})",
                "configure_health: targets[0].address is not an IP address"},
        Refused{
            R"({"type":"configure_health","targets":[{"id":1,"virtual_server":"a","address":"1.2.3.4","port":65536}]})",
            "configure_health: targets[0].port is not a whole number of 16 bits"},
        Refused{R"({"type":"vrrp_report","instance":"a","state":"SLEEPING"})",
                "vrrp_report: state is not a known word"},
        Refused{R"({"type":"health_report","id":1,"up":1})", "health_report: up is not true or false"}));

TEST(Decode, RefusesAnInstanceWithoutOneLeasePerAddress) {
  const auto decoded = decode(encode(ConfigureVrrp{.instances = {{.instance = instance(), .lease = {1}}}}));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().message, HasSubstr("VI_1 has not one lease for each virtual address"));
}

}  // namespace
}  // namespace ipc
