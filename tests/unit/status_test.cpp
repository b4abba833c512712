// SPDX-License-Identifier: Apache-2.0
// The status document and how people see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/status_text.hpp"
#include "control/assignments.hpp"
#include "control/status.hpp"

namespace control {
namespace {

using testing::HasSubstr;
using testing::Not;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

// One instance, one virtual server with two real servers, the second of which is down.
class StatusTest : public testing::Test {
 protected:
  StatusTest() {
    model::VirtualServer rest{.name = "rest",
                              .key = {.address = ip("192.168.100.111"), .port = 9826},
                              .persistence_timeout = std::chrono::seconds(900),
                              .real_servers = {real("192.168.100.34"), real("192.168.100.35")}};
    config_.router_id = "T_LVS";
    config_.virtual_servers = {rest};
    config_.vrrp_instances = {{.name = "VI_1",
                               .state = model::InitialState::master,
                               .interface = "enp1s0",
                               .virtual_router_id = 100,
                               .auth_pass = "geheim",
                               .virtual_addresses = {ip("192.168.100.111").v4()}}};
    around_.tick = std::chrono::seconds(1);
    around_.down = {{rest.key, {ip("192.168.100.35"), 9826}}};
    around_.next_hops[ip("192.168.100.34")] = {3, {}, base::Mac::parse("02:00:00:00:00:34")};
    tables_ = *model::desired_tables(config_, around_, {});
    all_.config_file = "/etc/xdirector.json";
    all_.started_unix = 1000;
    all_.config_loaded_unix = 1000;
    all_.now_unix = 1300;
    all_.interfaces = {{.name = "enp1s0", .mode = "native"}};
    all_.workers = {{"vrrp", {11, 0}}, {"health", {12, 0}}};
    all_.vrrp["VI_1"] = {.instance = "VI_1",
                         .state = ipc::VrrpState::master,
                         .reason = "no advertisement for 3.6 s",
                         .since_unix = 1100,
                         .priority = 100,
                         .last_rejected = ""};
    all_.lease_seconds["192.168.100.111"] = 2.5;
    ipc::HealthReport failed{
        .id = 2, .up = false, .outcome = "connect to 192.168.100.35:9826: connection refused", .at_unix = 1290};
    all_.health[*around_.down.begin()] = failed;
    all_.slots[1] = {{.active = 7, .inactive = 2}, {.packets = 12345, .bytes = 1'000'000, .connections = 9}};
  }

  static model::RealServer real(const char* address) {
    return {.address = ip(address), .port = 9826, .weight = 1, .checks = {model::TcpCheck{}}};
  }
  const Snapshot& all() {
    all_.config = &config_;
    all_.tables = &tables_;
    return all_;
  }
  nlohmann::ordered_json json() { return status_json(all()); }
  std::string text() { return *cli::status_text(status_document(all())); }

  model::Config config_;
  model::Surroundings around_;
  model::Tables tables_;
  Snapshot all_;
};

}  // namespace

TEST_F(StatusTest, AFenceThatIsNotWholeIsTold) {
  EXPECT_EQ(json()["fence"]["state"], "complete");
  EXPECT_THAT(text(), Not(HasSubstr("fence")));
  all_.fence_problems = {"enp1s0: tc refuses the filter"};
  EXPECT_EQ(json()["fence"]["state"], "partial");
  EXPECT_THAT(text(), HasSubstr("fence: partial\n  enp1s0: tc refuses the filter\n"));
}

TEST_F(StatusTest, ShowsTrackersAndWhatTheyDoToThePriority) {
  EXPECT_THAT(text(), Not(HasSubstr("Tracker")));
  all_.vrrp["VI_1"].priority = 80;
  all_.trackers = {{.state = {.kind = model::TrackerKind::script, .name = "chk_ftp", .known = true, .up = false},
                    .result = "exit code 7: connection refused",
                    .result_at_unix = 1299,
                    .since_unix = 1255},
                   {.state = {.kind = model::TrackerKind::process, .name = "nginx"}, .result = ""},
                   {.state = {.kind = model::TrackerKind::file, .name = "load", .known = true, .value = -20},
                    .result = "-20 in /run/load",
                    .since_unix = 1290}};
  EXPECT_THAT(text(), HasSubstr("VI_1             MASTER    80/100  100"));
  EXPECT_THAT(text(),
              HasSubstr("track_script chk_ftp             down     45 s     exit code 7: connection refused\n"));
  EXPECT_THAT(text(), HasSubstr("track_process nginx              unknown  -\n"));
  EXPECT_THAT(text(), HasSubstr("track_file load                  -20      10 s     -20 in /run/load\n"));
  EXPECT_EQ(json()["trackers"][0]["state"], "down");
  EXPECT_EQ(json()["vrrp_instances"][0]["configured_priority"], 100);
}

TEST_F(StatusTest, ShowsWhatIsWrongBetweenTheRouters) {
  all_.vrrp["VI_1"].problems = {{"two_masters", ip("192.168.100.145"), "it is MASTER with priority 50, too", 1296}};
  all_.vrrp["VI_1"].released = true;
  EXPECT_THAT(text(),
              HasSubstr("  PROBLEM two_masters with 192.168.100.145: it is MASTER with priority 50, too (for 4 s)\n"));
  EXPECT_THAT(text(), HasSubstr("  RELEASED: MASTER only if no other router is (`xdirector vrrp resume VI_1`"));
  EXPECT_EQ(json()["vrrp_instances"][0]["problems"][0]["kind"], "two_masters");
}

TEST_F(StatusTest, OtherVirtualRoutersAreTold) {
  EXPECT_THAT(text(), Not(HasSubstr("other virtual routers")));
  all_.other_routers = {{.interface = "enp1s0", .sender = ip("192.168.100.9"), .virtual_router_id = 51, .priority = 7},
                        {.interface = "enp1s0", .sender = ip("fe80::9"), .virtual_router_id = 52}};
  EXPECT_THAT(text(), HasSubstr("other virtual routers on enp1s0: 51 by 192.168.100.9, 52 by fe80::9\n"));
  EXPECT_EQ(json()["other_virtual_routers"][0]["priority"], 7);
}

TEST_F(StatusTest, ShowsWhatIpvsadmAndIpAddressShow) {
  EXPECT_THAT(text(), HasSubstr("VI_1             MASTER       100  100  enp1s0     3 min"));
  EXPECT_THAT(text(), HasSubstr("192.168.100.111 here, leased for 2.5 s more"));
  EXPECT_THAT(text(), HasSubstr("TCP 192.168.100.111:9826 \"rest\" wrr DR persistent 900 s"));
  EXPECT_THAT(
      text(),
      HasSubstr("  -> 192.168.100.34:9826        1 not yet checked        7        2        9    12.3K     1.0M"));
}

TEST_F(StatusTest, ShowsTheSchedulerAndItsOptions) {
  config_.virtual_servers[0].scheduler = model::Scheduler::mh;
  config_.virtual_servers[0].hash_port = true;
  EXPECT_THAT(text(), HasSubstr("\"rest\" mh mh-port DR"));
  config_.virtual_servers[0].scheduler = model::Scheduler::lc;
  config_.virtual_servers[0].hash_port = false;
  config_.virtual_servers[0].one_packet = true;
  EXPECT_THAT(text(), HasSubstr("\"rest\" lc ops DR"));
}

TEST_F(StatusTest, ShowsHowEachInterfaceIsServed) {
  all_.interfaces = {{.name = "eth0", .mode = "native", .multi_buffer = true},
                     {.name = "eth0.100", .carrier = "eth0"},
                     {.name = "eth1", .mode = "generic", .warnings = {"why", "and what to do"}},
                     {.name = "eth2", .warnings = {"the interface does not exist"}}};
  EXPECT_THAT(text(), HasSubstr("\neth0: native XDP, multi-buffer\n"
                                "eth0.100: by the program on eth0\n"
                                "eth1: generic XDP\n  why\n  and what to do\n"
                                "eth2: NOT ATTACHED\n  the interface does not exist\n"));
}

TEST_F(StatusTest, Ipv6AddressesStandInBracketsAndInLine) {
  model::VirtualServer& server = config_.virtual_servers[0];
  server.key.address = ip("fd00:100::111");
  server.persistence_prefix = 64;
  server.real_servers = {real("fd00:100::34"), real("2001:db8:1111:2222:3333:4444:5555:6666")};
  tables_ = *model::desired_tables(config_, {.tick = around_.tick}, {});
  EXPECT_THAT(text(), HasSubstr("TCP [fd00:100::111]:9826 \"rest\" wrr DR persistent 900 s by /64\n"));
  EXPECT_THAT(text(), HasSubstr("  -> [fd00:100::34]:9826                                1 not yet checked"));
  EXPECT_THAT(text(), HasSubstr("  -> [2001:db8:1111:2222:3333:4444:5555:6666]:9826      1 not yet checked"));
}

TEST_F(StatusTest, SaysWhyARealServerIsDown) {
  EXPECT_THAT(text(), HasSubstr("192.168.100.35:9826        1 down"));
  EXPECT_THAT(text(), HasSubstr("connect to 192.168.100.35:9826: connection refused (10 s ago)"));
}

TEST_F(StatusTest, BytesThatAreNotUtf8EndNoDaemon) {
  all_.config_file = "/etc/\xff.json";
  all_.reload = {.at_unix = 1200, .ok = false, .errors = {"/etc/\xff.json:1: unexpected \"\xc3\""}};
  EXPECT_THAT(text(), HasSubstr("/etc/\xEF\xBF\xBD.json"));
}

TEST_F(StatusTest, NeverShowsThePassword) {
  EXPECT_THAT(json().dump(), Not(HasSubstr("geheim")));
}

TEST_F(StatusTest, SaysThatAMacIsUnknown) {
  EXPECT_THAT(text(), HasSubstr("MAC ADDRESS UNKNOWN"));
}

TEST_F(StatusTest, ShowsWhatThisMachineServesItselfAndWhoItsPeersAre) {
  around_.next_hops[ip("192.168.100.34")] = {.local = true};
  tables_ = *model::desired_tables(config_, around_, {});
  all_.lease_seconds.clear();
  all_.peer_directors = {{ip("192.168.100.35"), base::Mac::parse("02:00:00:00:00:35")}, {ip("192.168.100.36"), {}}};
  EXPECT_THAT(text(),
              HasSubstr("\n  -> 192.168.100.34:9826        1 not yet checked        7        2        9    12.3K "
                        "    1.0M  this machine\n"));
  EXPECT_THAT(text(), HasSubstr("  192.168.100.111 on lo, for this machine is one of its real servers\n"));
  EXPECT_THAT(text(), HasSubstr("\npeer director 192.168.100.35: 02:00:00:00:00:35\n"
                                "peer director 192.168.100.36: MAC ADDRESS UNKNOWN\n"));
}

TEST_F(StatusTest, ARefusedReloadIsTheFirstThingSeen) {
  all_.reload = {.at_unix = 1200, .ok = false, .errors = {"/etc/xdirector.json:7: priority: 300 is too large"}};
  EXPECT_THAT(text(), HasSubstr("RELOAD REFUSED"));
  EXPECT_THAT(text(), HasSubstr("  /etc/xdirector.json:7: priority: 300 is too large"));
}

TEST_F(StatusTest, ARemovedRealServerIsShownWhileItDrains) {
  config_.virtual_servers[0].real_servers.pop_back();
  tables_ = *model::desired_tables(config_, around_, tables_);
  EXPECT_THAT(text(), HasSubstr("Removed, kept until their connections have ended:\n  -> 192.168.100.35:9826"));
}

TEST_F(StatusTest, AWorkerThatIsNotThereIsSaid) {
  all_.workers["vrrp"].pid = 0;
  EXPECT_THAT(text(), HasSubstr("THE vrrp WORKER IS NOT RUNNING"));
}

TEST_F(StatusTest, ShowsOnlyVerdictsThatHappened) {
  all_.counters.forwarded = 42;
  EXPECT_THAT(text(), HasSubstr("forwarded                          42"));
  EXPECT_THAT(text(), Not(HasSubstr("dropped_no_mac")));
}

TEST_F(StatusTest, AnAnswerOfAnotherVersionIsAnError) {
  EXPECT_FALSE(cli::status_text("{}"));
  EXPECT_FALSE(cli::status_text("no json"));
}

TEST(StatusText, NumbersAreShort) {
  EXPECT_EQ(cli::short_number(9999), "9999");
  EXPECT_EQ(cli::short_number(12345), "12.3K");
  EXPECT_EQ(cli::short_number(999'999'999), "1.0G");
  EXPECT_EQ(cli::short_number(UINT64_MAX), "18.4E");
}

TEST(StatusText, AgesAreShort) {
  EXPECT_EQ(cli::short_age(-5), "0 s");
  EXPECT_EQ(cli::short_age(119), "119 s");
  EXPECT_EQ(cli::short_age(7199), "119 min");
  EXPECT_EQ(cli::short_age(86400), "24 h");
  EXPECT_EQ(cli::short_age(864000), "10 d");
}

// --- what the workers are told ---

TEST(TargetIds, StayWithTheirRealServers) {
  TargetIds ids;
  const model::Member a{{.port = 1}, {ip("10.0.0.1"), 80}}, b{{.port = 1}, {ip("10.0.0.2"), 80}};
  const uint64_t id_a = ids.id_of(a), id_b = ids.id_of(b);
  EXPECT_NE(id_a, id_b);
  EXPECT_EQ(ids.id_of(a), id_a);
  EXPECT_EQ(ids.member_of(id_b), b);
  EXPECT_EQ(ids.member_of(99), std::nullopt);
}

TEST_F(StatusTest, TheHealthWorkerIsToldTheLastKnownHealth) {
  TargetIds ids;
  const ipc::ConfigureHealth message = make_health_assignment(config_, around_.down, ids);
  ASSERT_EQ(message.targets.size(), 2u);
  EXPECT_TRUE(message.targets[0].up);
  EXPECT_FALSE(message.targets[1].up);
}

TEST_F(StatusTest, TheVrrpWorkerIsToldTheLeaseOfEachAddress) {
  const ipc::ConfigureVrrp message = make_vrrp_assignment(config_, tables_);
  ASSERT_EQ(message.instances.size(), 1u);
  EXPECT_EQ(message.instances[0].lease, std::vector<uint32_t>{0});
}

}  // namespace control
