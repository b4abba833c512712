// SPDX-License-Identifier: Apache-2.0
// `vrrp_instances`: what each key becomes, and what is said of a wrong value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "config_support.hpp"

namespace config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::found_in;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json;
using testing::smallest;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

// smallest() with its instance changed.
json with(const json& changes) {
  json config = smallest();
  config.erase("virtual_servers");
  config["vrrp_instances"][0].update(changes);
  return config;
}

// The instance of a configuration that is accepted, with warnings at most.
model::VrrpInstance read(const json& config) {
  const auto loaded = load(config.dump(), "f");
  if (loaded) return loaded->config.vrrp_instances.at(0);
  ADD_FAILURE() << testing::lines(loaded.error()).front();
  return {};
}

// --- Version and interval ---

TEST(VrrpVersion, IsTwoUnlessTheFileOrTheInstanceSaysThree) {
  EXPECT_EQ(read(with(json::object())).version, 2);
  EXPECT_EQ(read(with({{"version", 3}})).version, 3);
  json config = with(json::object());
  config["vrrp_version"] = 3;
  EXPECT_EQ(read(config).version, 3);
  config["vrrp_instances"][0]["version"] = 2;
  EXPECT_EQ(read(config).version, 2);
}

TEST(VrrpVersion, OfIpv6IsThree) {
  json config = with({{"virtual_ipaddress", {"fe80::100", "2001:db8::100/64"}}});
  EXPECT_EQ(read(config).version, 3);
  config["vrrp_version"] = 2;
  EXPECT_EQ(read(config).version, 3) << "as with keepalived";
  EXPECT_THAT(found_in(config), IsEmpty());
}

TEST(AdvertInterval, IsInWholeSecondsOrInHundredths) {
  EXPECT_EQ(read(with({{"advert_int", 255}})).advert_int, 255s);
  EXPECT_EQ(read(with({{"advert_int", 0.01}, {"version", 3}})).advert_int, 10ms);
  EXPECT_EQ(read(with({{"advert_int", 0.29}, {"version", 3}})).advert_int, 290ms);
  EXPECT_EQ(read(with({{"advert_int", 40.95}, {"version", 3}})).advert_int, 40950ms);
}

// --- Addresses ---

TEST(VirtualAddresses, AreTakenAsKeepalivedWritesThem) {
  const auto instance = read(with({{"virtual_ipaddress",
                                    {"10.0.0.100", "10.0.1.100/24 dev eth1 label eth1:1 brd + scope link",
                                     "10.0.2.100/24 brd -", "10.0.3.100/24 broadcast 10.0.3.255"}}}));
  ASSERT_EQ(instance.virtual_addresses.size(), 4u);
  EXPECT_EQ(instance.virtual_addresses[0], model::VirtualAddress(ip("10.0.0.100")));
  model::VirtualAddress second(ip("10.0.1.100"));
  second.prefix_length = 24;
  second.device = "eth1";
  second.label = "eth1:1";
  second.broadcast = base::Ipv4::parse("10.0.1.255");
  second.scope = RT_SCOPE_LINK;
  EXPECT_EQ(instance.virtual_addresses[1], second);
  EXPECT_EQ(instance.virtual_addresses[2].broadcast, base::Ipv4::parse("10.0.2.0"));
  EXPECT_EQ(instance.virtual_addresses[3].broadcast, base::Ipv4::parse("10.0.3.255"));
}

TEST(VirtualAddresses, AreTakenAsObjects) {
  const json object = {{"address", "10.0.1.100/24"}, {"dev", "eth1"}, {"label", "eth1:1"}, {"brd", "+"}};
  const auto as_object = read(with({{"virtual_ipaddress", {object}}}));
  const auto as_text = read(with({{"virtual_ipaddress", {"10.0.1.100/24 dev eth1 label eth1:1 brd +"}}}));
  EXPECT_EQ(as_object, as_text);
}

TEST(VirtualAddresses, OfTheOtherFamilyAreExcludedOnes) {
  const auto instance = read(with({{"virtual_ipaddress_excluded", {"2001:db8::100/64", "10.0.0.101"}}}));
  EXPECT_EQ(instance.version, 2);
  ASSERT_EQ(instance.excluded_addresses.size(), 2u);
  EXPECT_EQ(instance.excluded_addresses[0].ip, ip("2001:db8::100"));
  EXPECT_EQ(instance.excluded_addresses[0].prefix_length, 64);
}

TEST(VirtualRoutes, AreTakenAsKeepalivedWritesThem) {
  const auto instance = read(with(
      {{"virtual_routes",
        {"src 10.0.0.100 to 192.168.109.0/24 via 10.0.0.254 dev eth1 metric 5",
         "default gw 10.0.0.254 table 100 onlink", "192.168.112.0/24 dev eth2", "default via fe80::1 dev eth0"}}}));
  ASSERT_EQ(instance.virtual_routes.size(), 4u);
  model::VirtualRoute first;
  first.destination = ip("192.168.109.0");
  first.prefix_length = 24;
  first.source = ip("10.0.0.100");
  first.via = ip("10.0.0.254");
  first.device = "eth1";
  first.metric = 5;
  EXPECT_EQ(instance.virtual_routes[0], first);
  EXPECT_EQ(instance.virtual_routes[1].destination, ip("0.0.0.0"));
  EXPECT_EQ(instance.virtual_routes[1].table, 100u);
  EXPECT_TRUE(instance.virtual_routes[1].on_link);
  EXPECT_EQ(instance.virtual_routes[2].scope, RT_SCOPE_LINK) << "no gateway: it is on the link";
  EXPECT_EQ(instance.virtual_routes[3].destination, ip("::")) << "the family of its gateway";
  const auto object = read(with({{"virtual_routes",
                                  {{{"to", "192.168.109.0/24"},
                                    {"src", "10.0.0.100"},
                                    {"via", "10.0.0.254"},
                                    {"dev", "eth1"},
                                    {"metric", 5}}}}}));
  EXPECT_EQ(object.virtual_routes[0], first);
}

// --- Peers ---

TEST(UnicastPeers, AreAddressesWithAnyTtlUnlessTheySay) {
  const auto instance =
      read(with({{"unicast_src_ip", "10.0.0.1"},
                 {"unicast_ttl", 64},
                 {"unicast_peer", {"10.0.0.2", "10.0.0.3 min_ttl 255", {{"address", "10.0.0.4"}, {"max_ttl", 9}}}}}));
  EXPECT_EQ(instance.source, ip("10.0.0.1"));
  EXPECT_EQ(instance.unicast_ttl, 64);
  ASSERT_EQ(instance.unicast_peers.size(), 3u);
  EXPECT_EQ(instance.unicast_peers[0], (model::UnicastPeer{ip("10.0.0.2"), 0, 255}));
  EXPECT_EQ(instance.unicast_peers[1], (model::UnicastPeer{ip("10.0.0.3"), 255, 255}));
  EXPECT_EQ(instance.unicast_peers[2], (model::UnicastPeer{ip("10.0.0.4"), 0, 9}));
}

// --- One wrong value at a time ---

struct Wrong {
  json changes;
  const char* line;

  friend void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.changes; }
};

class WrongInstance : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongInstance, IsRefusedWithWhatIsAllowed) {
  EXPECT_THAT(found_in(with(GetParam().changes)), ElementsAre(std::string("vrrp_instances[0].") + GetParam().line));
}

json password(const char* type, const char* text) {
  return {{"auth_type", type}, {"auth_pass", text}};
}

json with_address(const char* text) {
  return {{"virtual_ipaddress", {text}}};
}

json with_route(const char* text) {
  return {{"virtual_routes", {text}}};
}

INSTANTIATE_TEST_SUITE_P(
    Election, WrongInstance,
    ::testing::Values(
        Wrong{{{"state", "Master"}}, R"(state: "Master" is not known here; allowed is "MASTER" or "BACKUP")"},
        Wrong{{{"interface", "a-name-of-16-char"}},
              "interface: \"a-name-of-16-char\" cannot be the name of a network interface; expected 1 to 15 characters "
              "without / : and space"},
        Wrong{{{"virtual_router_id", 0}}, "virtual_router_id: 0 is not allowed; expected a whole number from 1 to 255"},
        Wrong{{{"priority", 0}}, "priority: 0 is not allowed; expected a whole number from 1 to 255"},
        Wrong{{{"priority", 99.5}}, "priority: 99.5 is not allowed; expected a whole number from 1 to 255"},
        Wrong{{{"nopreempt", 1}}, "nopreempt: found a number; expected true or false"},
        Wrong{{{"preempt_delay", 1001}}, "preempt_delay: 1001 is not allowed; expected 0 to 1000 seconds"},
        Wrong{{{"priority", 255}, {"nopreempt", true}},
              "nopreempt: has no effect with priority 255: who owns the addresses always takes them; remove it"},
        Wrong{{{"priority", 255}, {"preempt_delay", 5}},
              "preempt_delay: has no effect with priority 255: who owns the addresses always takes them; remove it"}));

INSTANTIATE_TEST_SUITE_P(
    Transport, WrongInstance,
    ::testing::Values(
        Wrong{{{"version", 4}}, "version: 4 is not allowed; expected a whole number from 2 to 3"},
        Wrong{{{"advert_int", 0.1}},
              "advert_int: 0.1 needs \"version\": 3 on all routers: version 2 of VRRP has no fractions; expected whole "
              "seconds from 1 to 255"},
        Wrong{{{"advert_int", 256}},
              "advert_int: 256 is not allowed with version 2; expected whole seconds from 1 to 255"},
        Wrong{{{"advert_int", 0}}, "advert_int: 0 is not allowed with version 2; expected whole seconds from 1 to 255"},
        Wrong{{{"advert_int", 41}, {"version", 3}},
              "advert_int: 41 is not allowed with version 3; expected 0.01 to 40.95 seconds, in steps of 0.01"},
        Wrong{{{"advert_int", 0.015}, {"version", 3}},
              "advert_int: 0.015 is not allowed with version 3; expected 0.01 to 40.95 seconds, in steps of 0.01"},
        Wrong{{{"advert_int", "1"}}, "advert_int: found a text; expected whole seconds from 1 to 255"},
        Wrong{{{"longest_advert_int", 5}},
              "longest_advert_int: in version 2 all routers have the same advert_int; remove it"},
        Wrong{{{"longest_advert_int", 0.5}, {"version", 3}}, "longest_advert_int: is shorter than \"advert_int\""},
        Wrong{{{"checksum", "rfc9568"}}, "checksum: only version 3 on IPv4 has two readings; remove it"},
        Wrong{{{"checksum", "rfc3768"}, {"version", 3}},
              R"(checksum: "rfc3768" is not known here; allowed is "rfc5798" or "rfc9568")"},
        Wrong{{{"authentication", {{"auth_type", "PASS"}}}},
              R"(authentication: "auth_pass" is missing; expected a text of 1 to 8 characters)"},
        Wrong{{{"authentication", {{"auth_pass", "x"}}}}, R"(authentication: "auth_type" is missing; expected "PASS")"},
        Wrong{{{"authentication", password("AH", "x")}},
              "authentication.auth_type: \"AH\" is not supported; use \"PASS\", or leave \"authentication\" out"},
        Wrong{{{"authentication", password("PASS", "x")}, {"version", 3}},
              "authentication: version 3 of VRRP has no authentication; remove it, on all routers"},
        Wrong{{{"mcast_src_ip", "224.0.0.18"}},
              "mcast_src_ip: 224.0.0.18 is a multicast address; expected an address that a host can have"},
        Wrong{{{"mcast_src_ip", "fe80::1"}}, "mcast_src_ip: fe80::1 is IPv6, but the virtual addresses are IPv4"},
        Wrong{{{"unicast_src_ip", "10.0.0.1"}},
              "unicast_src_ip: goes with \"unicast_peer\" only; by multicast it is called \"mcast_src_ip\""},
        Wrong{{{"unicast_ttl", 5}}, "unicast_ttl: goes with \"unicast_peer\" only"},
        Wrong{{{"unicast_peer", json::array()}},
              "unicast_peer: the list is empty; give the peers' addresses, or remove it to speak by multicast"}));

json with_peers(const json& peers) {
  return {{"unicast_src_ip", "10.0.0.1"}, {"unicast_peer", peers}};
}

INSTANTIATE_TEST_SUITE_P(
    Peers, WrongInstance,
    ::testing::Values(
        Wrong{with_peers({"10.0.0.2", "10.0.0.2"}),
              "unicast_peer[1]: 10.0.0.2 is vrrp_instances[0].unicast_peer[0] already"},
        Wrong{with_peers({"10.0.0.1"}), "unicast_peer[0]: 10.0.0.1 is this router's own address; give the peer's"},
        Wrong{with_peers({"fe80::2"}), "unicast_peer[0].address: fe80::2 is IPv6, but the virtual addresses are IPv4"},
        Wrong{with_peers({"10.0.0.2 min_ttl"}),
              "unicast_peer[0]: \"min_ttl\" ends the text; expected what it says, as in \"192.168.1.2 min_ttl 255\""},
        Wrong{with_peers({"10.0.0.2 min_ttl many"}),
              "unicast_peer[0].min_ttl: found a text; expected a whole number from 0 to 255"},
        Wrong{with_peers({"10.0.0.2 min_ttl 9 max_ttl 8"}), "unicast_peer[0]: \"min_ttl\" is greater than \"max_ttl\""},
        Wrong{
            with_peers({5}),
            "unicast_peer[0]: found a number; expected a text such as \"192.168.1.2 min_ttl 255\", or an object { ... "
            "}"},
        Wrong{{{"unicast_src_ip", "10.0.0.1"}, {"unicast_peer", {"10.0.0.100"}}},
              "virtual_ipaddress[0]: 10.0.0.100 is a unicast peer's own address: it is there all the time and cannot "
              "move"}));

INSTANTIATE_TEST_SUITE_P(
    Addresses, WrongInstance,
    ::testing::Values(
        Wrong{{{"virtual_ipaddress", json::array()}},
              "virtual_ipaddress: the list is empty; expected at least one IP address"},
        Wrong{with_address("10.0.0"),
              "virtual_ipaddress[0].address: \"10.0.0\" is not an IP address; expected one such as 192.168.100.111 or "
              "2001:db8::111 (names are not looked up)"},
        Wrong{
            with_address("10.0.0.100/33"),
            "virtual_ipaddress[0].address: the prefix length \"33\" is not allowed; expected a whole number from 1 to "
            "32"},
        Wrong{
            with_address("10.0.0.100/24 dev"),
            "virtual_ipaddress[0]: \"dev\" ends the text; expected what it says, as in \"192.168.1.1/24 dev eth0 label "
            "eth0:1 brd + scope global\""},
        Wrong{with_address("10.0.0.100/24 dev eth0 devv eth1"),
              "virtual_ipaddress[0]: unknown key \"devv\"; did you mean \"dev\"?"},
        Wrong{with_address("10.0.0.100/24 dev eth0/1"),
              "virtual_ipaddress[0].dev: \"eth0/1\" cannot be the name of a network interface; expected 1 to 15 "
              "characters without / : and space"},
        Wrong{with_address("10.0.0.100/24 label eth0:a-long-label"),
              "virtual_ipaddress[0].label: \"eth0:a-long-label\" is too long; expected a text of 1 to 15 characters"},
        Wrong{with_address("2001:db8::1/64 label eth0:1"),
              "virtual_ipaddress[0].label: IPv6 addresses have no labels; remove it"},
        Wrong{with_address("10.0.0.100 brd +"),
              "virtual_ipaddress[0].brd: goes with an IPv4 address and a prefix length of at most 30; remove it, or "
              "write that length behind the address"},
        Wrong{with_address("10.0.0.100/24 brd ~"),
              "virtual_ipaddress[0].brd: \"~\" is not allowed; expected an IPv4 address, \"+\" or \"-\""},
        Wrong{
            with_address("10.0.0.100/24 scope world"),
            "virtual_ipaddress[0].scope: \"world\" is not known here; allowed is \"global\" or \"site\" or \"link\" or "
            "\"host\" or \"nowhere\""},
        Wrong{{{"virtual_ipaddress", {"10.0.0.100", "2001:db8::1"}}},
              "virtual_ipaddress[1]: 2001:db8::1 is IPv6, but the first address is IPv4; put it into "
              "\"virtual_ipaddress_excluded\", or into an instance of its own"},
        Wrong{
            {{"virtual_ipaddress_excluded", {"10.0.0.100"}}},
            "virtual_ipaddress_excluded[0]: 10.0.0.100 is at vrrp_instances[0].virtual_ipaddress[0] already; a virtual "
            "address belongs to one instance, once"},
        Wrong{{{"virtual_ipaddress", {"fe80::1"}}, {"version", 2}},
              "version: version 2 of VRRP knows IPv4 only; IPv6 has version 3"},
        Wrong{
            {{"mcast_src_ip", "10.0.0.100"}},
            "virtual_ipaddress[0]: 10.0.0.100 is this router's own address: it is there all the time and cannot move"},
        Wrong{with_route("10.0.0.1/8 via 10.0.0.254"),
              "virtual_routes[0].to: \"10.0.0.1/8\" has bits of a host beyond its prefix length; the kernel takes "
              "networks only"},
        Wrong{with_route("10.0.0.0/8"), "virtual_routes[0]: neither \"via\" nor \"dev\" says where the route leads"},
        Wrong{with_route("10.0.0.0/8 via fe80::1"),
              "virtual_routes[0].via: fe80::1 is not of the destination's family"},
        Wrong{with_route("10.0.0.0/8 via 10.0.0.254 table main"),
              "virtual_routes[0].table: found a text; expected a whole number from 1 to 4294967295"}));

// --- Doubts ---

std::string warning(const char* text) {
  return std::string("warning: vrrp_instances[0].") + text;
}

TEST(VrrpDoubts, WhatKeepalivedIgnoresWithMasterHoldsHere) {
  EXPECT_THAT(found_in(with({{"nopreempt", true}})), IsEmpty());
  EXPECT_THAT(
      found_in(with({{"nopreempt", true}, {"state", "MASTER"}})),
      ElementsAre(warning("nopreempt: keepalived ignores this together with \"state\": \"MASTER\"; here it holds, so "
                          "that this director will no longer take the addresses back. To keep that it does, delete "
                          "this line")));
  EXPECT_THAT(
      found_in(with({{"preempt_delay", 60}, {"state", "MASTER"}})),
      ElementsAre(warning("preempt_delay: keepalived ignores this together with \"state\": \"MASTER\"; here it holds, "
                          "so that this director will take the addresses back later. To keep that it does so at once, "
                          "delete this line")));
  EXPECT_THAT(found_in(with({{"nopreempt", true}, {"preempt_delay", 60}})),
              ElementsAre(warning("preempt_delay: has no effect with \"nopreempt\"")));
}

TEST(VrrpDoubts, PasswordsLongerThanEightCharactersAreCutAndNeverShown) {
  EXPECT_THAT(found_in(with({{"authentication", password("PASS", "s3cr3t12")}})), IsEmpty());
  EXPECT_THAT(found_in(with({{"authentication", password("PASS", "s3cr3t123")}})),
              ElementsAre(warning("authentication.auth_pass: the password is longer than 8 characters; only the first "
                                  "8 count")));
}

TEST(VrrpDoubts, TheFirstIpv6AddressShouldBeLinkLocal) {
  EXPECT_THAT(found_in(with(with_address("2001:db8::1"))),
              ElementsAre(HasSubstr("virtual_ipaddress[0]: 2001:db8::1 is not link-local, as RFC 9568 wants")));
}

TEST(VrrpDoubts, UnicastWithoutASource) {
  EXPECT_THAT(found_in(with({{"unicast_peer", {"10.0.0.2"}}})),
              ElementsAre(HasSubstr("unicast_peer: without \"unicast_src_ip\" advertisements come from the interface's "
                                    "first address")));
}

// --- Several instances ---

TEST(VrrpInstances, AreToldApartByInterfaceFamilyAndVrid) {
  json config = with(json::object());
  json other = config["vrrp_instances"][0];
  other["name"] = "VI_2";
  other["virtual_ipaddress"] = {"10.0.0.101"};
  config["vrrp_instances"].push_back(other);
  EXPECT_THAT(
      found_in(config),
      ElementsAre("vrrp_instances[1].virtual_router_id: 1 is the virtual_router_id of vrrp_instances[0] on eth0 "
                  "too: each would take the other's advertisements for its own; give one of them another, on "
                  "all routers"));
  config["vrrp_instances"][1]["virtual_ipaddress"] = {"fe80::101"};
  EXPECT_THAT(found_in(config), IsEmpty()) << "IPv6 has its own";
  config["vrrp_instances"][1] = other;
  config["vrrp_instances"][1]["interface"] = "eth1";
  EXPECT_THAT(found_in(config), IsEmpty());
}

}  // namespace
}  // namespace config
