// SPDX-License-Identifier: Apache-2.0
// A configuration with something wrong in it: what the operator reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/known_keys.hpp"
#include "config_support.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using testing::found_in;
using ::testing::HasSubstr;
using testing::json;
using testing::lines_of;
using ::testing::Not;
using ::testing::SizeIs;
using testing::smallest;
using ::testing::UnorderedElementsAre;

json::json_pointer at(const char* pointer) {
  return json::json_pointer(pointer);
}

TEST(Errors, AreReportedAllAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(
      lines_of(std::string(R"({
  "vrrp_instances": [
    { "name": "VI_1", "interfce": "eth0", "virtual_router_id": 256,
      "priority": "100",
      "virtual_ipaddress": ["10.0.0.100", "fe80::1"] }
  ],
  "virtual_servers": [
    { "address": "10.0.0.100", "port": 80, "lb_algo": "sed", "lb_kind": "NAT",
      "real_servers": [ { "address": "10.0.0.1", "port": 80, "weight": -1 },
                        { "address": "real-2", "port": 0 } ] }
  ]
})")),
      ElementsAre(
          R"(f:3: vrrp_instances[0]: "interface" is missing; expected the name of a network interface)",
          R"(f:3: vrrp_instances[0]: unknown key "interfce"; did you mean "interface"?)",
          "f:3: vrrp_instances[0].virtual_router_id: 256 is not allowed; expected a whole number from 1 to 255",
          "f:4: vrrp_instances[0].priority: found a text; expected a whole number from 1 to 255",
          "f:5: vrrp_instances[0].virtual_ipaddress[1]: fe80::1 is IPv6, but the first address is IPv4; put it into "
          "\"virtual_ipaddress_excluded\", or into an instance of its own",
          "f:8: virtual_servers[0].lb_algo: \"sed\" is not supported; the nearest is \"wlc\"",
          "f:8: virtual_servers[0].lb_kind: \"NAT\" is not supported, only direct routing is; use \"DR\", and "
          "give each real server the virtual address on lo (xdirector real-server add)",
          "f:9: virtual_servers[0].real_servers[0].weight: -1 is not allowed; expected a whole number from 0 to "
          "65535",
          "f:10: virtual_servers[0].real_servers[1].address: \"real-2\" is not an IP address; expected one "
          "such as 192.168.100.111 or 2001:db8::111 (names are not looked up)",
          "f:10: virtual_servers[0].real_servers[1].port: 0 is not allowed; expected a whole number from 1 to "
          "65535"));
}

TEST(Errors, AnAddressThatCannotBeReadIsNoReasonForAnother) {
  json config = smallest();
  config["virtual_servers"][0]["address"] = "10.0.0";
  for (const json& granularity : {json("255.255.255.0"), json(64)}) {
    config["virtual_servers"][0]["persistence_granularity"] = granularity;
    EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("\"10.0.0\" is not an IP address"))) << granularity;
  }
}

// --- One value at a time ---

struct Wrong {
  const char* where;  // JSON pointer into smallest()
  json value;
  const char* line;
};

class WrongValue : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongValue, IsRefusedWithWhatIsAllowed) {
  json config = smallest();
  config[at(GetParam().where)] = GetParam().value;
  EXPECT_THAT(found_in(config), ElementsAre(GetParam().line));
}

#define SERVER "/virtual_servers/0"
#define REAL "/virtual_servers/0/real_servers/0"

INSTANTIATE_TEST_SUITE_P(
    TopLevel, WrongValue,
    ::testing::Values(
        Wrong{"/router_id", 5, "router_id: found a number; expected a text of 1 to 63 characters"},
        Wrong{"/router_id", "", "router_id: the text is empty; expected a text of 1 to 63 characters"},
        Wrong{"/router_id", "a\nb", "router_id: \"a?b\" has control characters; expected a text of 1 to 63 characters"},
        Wrong{"/connection_slots", 1000000, "connection_slots: 1000000 is not a power of two; the nearest is 1048576"},
        Wrong{"/connection_slots_ipv6", 1500, "connection_slots_ipv6: 1500 is not a power of two; the nearest is 1024"},
        Wrong{"/persistence_slots", 512,
              "persistence_slots: 512 is not allowed; expected a whole number from 1024 to 67108864"},
        Wrong{"/connection_slots", 1500, "connection_slots: 1500 is not a power of two; the nearest is 1024"},
        Wrong{"/connection_slots", 512,
              "connection_slots: 512 is not allowed; expected a whole number from 1024 to 67108864"},
        Wrong{"/connection_slots", 134217728,
              "connection_slots: 134217728 is not allowed; expected a whole number from 1024 to 67108864"},
        Wrong{"/interfaces", "eth0", "interfaces: found a text; expected a list [ ... ]"},
        Wrong{
            "/interfaces",
            {"eth0:1"},
            "interfaces[0]: \"eth0:1\" cannot be the name of a network interface; expected 1 to 15 characters without "
            "/ : and space"},
        Wrong{"/lvs_timeouts",
              {{"tcp", 3601}},
              "lvs_timeouts.tcp: 3601 is not allowed; expected 1 to 3600 seconds (the connection table's clock counts "
              "no further)"},
        Wrong{"/lvs_timeouts",
              {{"tcpfin", 0}},
              "lvs_timeouts.tcpfin: 0 is not allowed; expected 1 to 3600 seconds (the connection table's clock counts "
              "no further)"},
        Wrong{"/lvs_timeouts",
              {{"udp", "5"}},
              "lvs_timeouts.udp: found a text; expected 1 to 3600 seconds (the connection table's clock counts no "
              "further)"},
        Wrong{"/lvs_timeouts", {900, 120, 300}, "lvs_timeouts: found a list; expected an object { ... }"},
        Wrong{"/port_marks", nullptr, "port_marks: found null; expected a list [ ... ]"}));

INSTANTIATE_TEST_SUITE_P(
    VirtualServers, WrongValue,
    ::testing::Values(
        Wrong{
            SERVER "/address", "0.0.0.0",
            "virtual_servers[0].address: 0.0.0.0 is the unspecified network; expected an address that a host can have"},
        Wrong{SERVER "/address", "127.0.0.1",
              "virtual_servers[0].address: 127.0.0.1 is a loopback address; expected an address that a host can have"},
        Wrong{
            SERVER "/address", "255.255.255.255",
            "virtual_servers[0].address: 255.255.255.255 is a broadcast or reserved address; expected an address that "
            "a host can have"},
        Wrong{SERVER "/port", 65536,
              "virtual_servers[0].port: 65536 is not allowed; expected a whole number from 1 to 65535"},
        Wrong{
            SERVER "/fwmark", 1,
            "virtual_servers[0].fwmark: a virtual server has either \"fwmark\" or \"address\" and \"port\", not both; "
            "what a mark covers is said by \"port_marks\""},
        Wrong{SERVER "/protocol", "SCTP",
              R"(virtual_servers[0].protocol: "SCTP" is not supported; expected "TCP" or "UDP")"},
        Wrong{SERVER "/protocol", "tcp",
              R"(virtual_servers[0].protocol: "tcp" is not known here; allowed is "TCP" or "UDP")"},
        Wrong{SERVER "/lb_algo", "dh",
              "virtual_servers[0].lb_algo: \"dh\" is not supported, it balances by the address that packets are sent "
              "to; by their source: \"mh\""},
        Wrong{SERVER "/lb_algo", "fo",
              "virtual_servers[0].lb_algo: \"fo\" is not supported; use \"wrr\", and weight 0 for a real server in "
              "reserve"},
        Wrong{SERVER "/lb_algo", "wrrr",
              "virtual_servers[0].lb_algo: \"wrrr\" is not known here; allowed is \"rr\" or \"wrr\" or \"lc\" or "
              "\"wlc\" or \"sh\" or \"mh\""},
        Wrong{SERVER "/sh-port", true, R"(virtual_servers[0].sh-port: goes with "lb_algo": "sh" only)"},
        Wrong{SERVER "/mh-port", true, R"(virtual_servers[0].mh-port: goes with "lb_algo": "mh" only)"},
        Wrong{SERVER "/mh-port", 1, "virtual_servers[0].mh-port: found a number; expected true or false"},
        Wrong{SERVER "/mh-fallback", true,
              "virtual_servers[0]: unknown key \"mh-fallback\": it is always so: what would fall to a real server that "
              "is not there falls to the others; remove it"},
        Wrong{SERVER "/ops", true,
              "virtual_servers[0].ops: goes with \"protocol\": \"UDP\" only: a TCP connection cannot be torn apart"},
        Wrong{SERVER "/lb_kind", "TUN",
              "virtual_servers[0].lb_kind: \"TUN\" is not supported, only direct routing is; use \"DR\", and give each "
              "real server the virtual address on lo (xdirector real-server add)"},
        Wrong{SERVER "/delay_loop", 0,
              "virtual_servers[0].delay_loop: 0 is not allowed; expected 0.1 to 86400 seconds"},
        Wrong{SERVER "/persistence_timeout", 0,
              "virtual_servers[0].persistence_timeout: 0 is not allowed; expected 1 to 2678400 seconds"},
        Wrong{REAL "/address", "10.0.0",
              "virtual_servers[0].real_servers[0].address: \"10.0.0\" is not an IP address; "
              "expected one such as 192.168.100.111 or 2001:db8::111 (names are not looked up)"},
        Wrong{REAL "/address", "2001:db8::34/64",
              "virtual_servers[0].real_servers[0].address: \"2001:db8::34/64\" is not an IP address; "
              "expected one such as 192.168.100.111 or 2001:db8::111 (names are not looked up)"},
        Wrong{REAL "/address", "fe80::34%eth0",
              "virtual_servers[0].real_servers[0].address: \"fe80::34%eth0\" names an interface; expected an address "
              "that means the same on every interface"},
        Wrong{REAL "/address", "fe80::34",
              "virtual_servers[0].real_servers[0].address: fe80::34 is a link-local address, which does not say on "
              "which interface; expected an address that a host can have"},
        Wrong{REAL "/address", "::ffff:10.0.0.1",
              "virtual_servers[0].real_servers[0].address: \"::ffff:10.0.0.1\" is an IPv4 address in the notation of "
              "IPv6; write \"10.0.0.1\""},
        Wrong{REAL "/address", "::1",
              "virtual_servers[0].real_servers[0].address: ::1 is a loopback address; expected an address that a host "
              "can have"},
        Wrong{REAL "/address", "ff02::1",
              "virtual_servers[0].real_servers[0].address: ff02::1 is a multicast address; expected an address that a "
              "host can have"},
        Wrong{REAL "/address", "::",
              "virtual_servers[0].real_servers[0].address: :: is the unspecified or a reserved address; expected an "
              "address that a host can have"},
        Wrong{REAL "/address", "fd00::34",
              "virtual_servers[0].real_servers[0].address: fd00::34 is IPv6, but 10.0.0.100 is IPv4; a virtual server "
              "has one family: give the real server's IPv4 address"},
        Wrong{SERVER "/persistence_granularity", 33,
              "virtual_servers[0].persistence_granularity: 33 is not allowed; expected a netmask such as "
              "\"255.255.255.0\", or a prefix length from 1 to 32"},
        Wrong{
            SERVER "/persistence_granularity", "255.0.255.0",
            "virtual_servers[0].persistence_granularity: \"255.0.255.0\" is not a netmask; expected a netmask such as "
            "\"255.255.255.0\", or a prefix length from 1 to 32"},
        Wrong{SERVER "/persistence_granularity", true,
              "virtual_servers[0].persistence_granularity: found true or false; expected a netmask such as "
              "\"255.255.255.0\", or a prefix length from 1 to 32"},
        Wrong{REAL "/inhibit_on_failure", "yes",
              "virtual_servers[0].real_servers[0].inhibit_on_failure: found a text; expected true or false"},
        Wrong{REAL "/checks", json::array({{{"type", "http"}}}),
              "virtual_servers[0].real_servers[0].checks[0].type: \"http\" is not supported yet; expected \"tcp\""},
        Wrong{REAL "/checks", json::array({{{"type", "tcp"}, {"retry", 1001}}}),
              "virtual_servers[0].real_servers[0].checks[0].retry: 1001 is not allowed; expected a whole number from 0 "
              "to "
              "1000"},
        Wrong{REAL "/checks", json::array({{{"type", "tcp"}, {"connect_timeout", 0}}}),
              "virtual_servers[0].real_servers[0].checks[0].connect_timeout: 0 is not allowed; expected 0.1 to 3600 "
              "seconds"},
        Wrong{REAL "/checks", json::array({5}),
              "virtual_servers[0].real_servers[0].checks[0]: found a number; expected an object { ... }"}));

struct WrongPorts {
  json ports;
  const char* message;
};

class PortMarkPorts : public ::testing::TestWithParam<WrongPorts> {};

TEST_P(PortMarkPorts, AreRefused) {
  json config = smallest();
  config["port_marks"] = {{{"mark", 1}, {"address", "10.0.0.100"}, {"ports", GetParam().ports}}};
  EXPECT_THAT(found_in(config)[0], std::string("port_marks[0].ports: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, PortMarkPorts,
    ::testing::Values(
        WrongPorts{"10000-8000", R"(the range "10000-8000" is reversed; write "8000-10000")"},
        WrongPorts{9814, R"(found a number; expected a text, "9814" or "8000-10000", of ports from 1 to 65535)"},
        WrongPorts{
            "8000:10000",
            R"("8000:10000" is neither a port nor a range of ports; expected a text, "9814" or "8000-10000", of ports from 1 to 65535)"},
        WrongPorts{
            "0-5",
            R"("0-5" is neither a port nor a range of ports; expected a text, "9814" or "8000-10000", of ports from 1 to 65535)"},
        WrongPorts{
            "1-65536",
            R"("1-65536" is neither a port nor a range of ports; expected a text, "9814" or "8000-10000", of ports from 1 to 65535)"}));

TEST(Errors, MarkZeroIsNoMark) {
  json config = smallest();
  config["port_marks"] = {{{"mark", 0}, {"address", "10.0.0.100"}, {"ports", "1"}}};
  EXPECT_THAT(found_in(config),
              ElementsAre("port_marks[0].mark: 0 is not allowed; expected a whole number from 1 to 4294967295"));
}

TEST(Errors, WhatIsMissingIsNamedWithWhatIsExpected) {
  EXPECT_THAT(
      found_in(json::parse(R"({"vrrp_instances": [{}], "port_marks": [{}],
                                       "virtual_servers": [{"real_servers": [{"checks": [{}]}]}]})")),
      UnorderedElementsAre(
          "vrrp_instances[0]: \"name\" is missing; expected a text of 1 to 63 characters",
          "vrrp_instances[0]: \"interface\" is missing; expected the name of a network interface",
          "vrrp_instances[0]: \"virtual_router_id\" is missing; expected a whole number from 1 to 255",
          "vrrp_instances[0]: \"virtual_ipaddress\" is missing; expected a list of IP addresses",
          "port_marks[0]: \"mark\" is missing; expected a whole number from 1 to 4294967295",
          "port_marks[0]: \"address\" is missing; expected an IP address such as 192.168.100.111 or 2001:db8::111",
          "port_marks[0]: \"ports\" is missing; expected a text, \"9814\" or \"8000-10000\", of ports from 1 to "
          "65535",
          "virtual_servers[0]: \"address\" is missing; expected an IP address such as 192.168.100.111 or "
          "2001:db8::111 (or give \"fwmark\" in place of \"address\" and \"port\")",
          "virtual_servers[0]: \"port\" is missing; expected a whole number from 1 to 65535",
          "virtual_servers[0]: \"lb_algo\" is missing; expected \"rr\" or \"wrr\" or \"lc\" or \"wlc\" or \"sh\" or "
          "\"mh\"",
          "virtual_servers[0]: \"lb_kind\" is missing; expected \"DR\"",
          "virtual_servers[0].real_servers[0]: \"address\" is missing; expected an IP address such as "
          "192.168.100.111 or 2001:db8::111",
          "virtual_servers[0].real_servers[0]: \"port\" is missing; expected a whole number from 1 to 65535",
          "virtual_servers[0].real_servers[0].checks[0]: \"type\" is missing; expected \"tcp\""));
}

TEST(Errors, TheFileMustHoldAnObject) {
  EXPECT_THAT(lines_of(std::string("[]")), ElementsAre("f:1:1: found a list; expected an object { ... }"));
}

TEST(Errors, ThereMustBeAnInterface) {
  EXPECT_THAT(
      lines_of(std::string("{}")),
      ElementsAre("f:1:1: no network interface to work on; give \"vrrp_instances\", or \"interfaces\" without VRRP"));
}

TEST(Errors, NeverShowThePassword) {
  for (const json& password : {json(12345678), json("s3cr\ne12345678t"), json(nullptr), json({"12345678"})}) {
    json config = smallest();
    config[at("/vrrp_instances/0/authentication")] = {{"auth_type", "PASS"}, {"auth_pass", password}};
    const auto found = found_in(config);
    EXPECT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0], HasSubstr("expected a text of 1 to 8 characters"));
    EXPECT_THAT(found[0], Not(HasSubstr("12345678")));
  }
}

// --- Keys ---

TEST(Keys, AKeyGivenTwiceIsAnError) {
  EXPECT_THAT(lines_of(std::string("{ \"interfaces\": [\"a\"],\n\"router_id\": \"x\",\n\"interfaces\": [\"b\"] }")),
              ElementsAre("f:3:1: \"interfaces\" is given twice, first in line 1; keep one"));
}

struct UnknownKey {
  const char* key;
  const char* message;
};

class UnknownKeys : public ::testing::TestWithParam<UnknownKey> {};

TEST_P(UnknownKeys, NameWhatWasProbablyMeant) {
  json config = smallest();
  config[at(REAL)][GetParam().key] = 1;
  EXPECT_THAT(found_in(config),
              ElementsAre("virtual_servers[0].real_servers[0]: unknown key " + std::string(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    OfARealServer, UnknownKeys,
    ::testing::Values(UnknownKey{"wieght", R"("wieght"; did you mean "weight"?)"},
                      UnknownKey{"inhibit_on_fail", R"("inhibit_on_fail"; did you mean "inhibit_on_failure"?)"},
                      UnknownKey{"Port", R"("Port"; did you mean "port"?)"},
                      UnknownKey{"zzz", R"("zzz"; known here: address, port, weight, inhibit_on_failure, checks)"},
                      UnknownKey{"nb_get_retry", R"("nb_get_retry": it is called "retry" here)"},
                      UnknownKey{"connect_timeout",
                                 R"("connect_timeout": give it to each of a real server's "checks")"},
                      UnknownKey{"delay_loop", R"("delay_loop": give it to the virtual server)"},
                      UnknownKey{"lvs_method", R"("lvs_method": it is called "lb_kind" here)"},
                      UnknownKey{"TCP_CHECK", R"("TCP_CHECK": write it as "checks": [{ "type": "tcp", ... }])"},
                      UnknownKey{"HTTP_GET", R"("HTTP_GET": only "checks" of "type": "tcp" are supported yet)"},
                      UnknownKey{"MISC_CHECK", R"("MISC_CHECK": only "checks" of "type": "tcp" are supported yet)"},
                      UnknownKey{"notify_down", R"("notify_down": keepalived's, but not supported yet; remove it)"},
                      UnknownKey{"uthreshold", R"("uthreshold": keepalived's, but not supported yet; remove it)"}));

TEST(Keys, OfKeepalivedAtTheTopLevelAreExplained) {
  json config = smallest();
  for (const char* key : {"global_defs", "virtual_server", "vrrp_instance", "vrrp_script"}) config[key] = 1;
  EXPECT_THAT(
      found_in(config),
      ElementsAre(
          "unknown key \"global_defs\": its keys (router_id, vrrp_version, script_user ...) stand at the top level "
          "here",
          "unknown key \"virtual_server\": it is called \"virtual_servers\" here, a list of objects with "
          "\"address\" and \"port\", or \"fwmark\"",
          "unknown key \"vrrp_instance\": it is called \"vrrp_instances\" here, a list of objects with a \"name\"",
          "unknown key \"vrrp_script\": it is called \"vrrp_scripts\" here, a list of objects with a \"name\""));
}

TEST(Keys, ASlipIsNotTakenForOneOfKeepalived) {
  json config = smallest();
  config["vrrp_instnces"] = 1;
  EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("did you mean \"vrrp_instances\"?")));
}

TEST(Keys, ALongOrUnprintableKeyIsShownSafely) {
  json config = smallest();
  config["a\n" + std::string(1'000'000, 'x')] = 1;
  EXPECT_THAT(found_in(config),
              ElementsAre(HasSubstr("unknown key \"a?" + std::string(58, 'x') + "...\"; known here: ")));
}

TEST(Keys, EditDistanceCountsASwapAsOneSlip) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("weight", "weight"), 0u);
  EXPECT_EQ(edit_distance("wieght", "weight"), 1u);
  EXPECT_EQ(edit_distance("weigt", "weight"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace config
