// SPDX-License-Identifier: Apache-2.0
// Trackers, commands, sync groups and the file's defaults: what each key becomes, and what is said of a wrong value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_support.hpp"

namespace config {
namespace {

using namespace std::chrono_literals;
using model::TrackerKind;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::found_in;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json;

// Two instances that differ by their VRID and address.
json two() {
  return json::parse(R"({
    "vrrp_instances": [
      { "name": "VI_1", "interface": "eth0", "virtual_router_id": 1, "virtual_ipaddress": ["10.0.0.100"] },
      { "name": "VI_2", "interface": "eth0", "virtual_router_id": 2, "virtual_ipaddress": ["10.0.0.101"] }] })");
}

json script(const char* name) {
  return {{"name", name}, {"script", "/usr/bin/true"}};
}

model::Config read(const json& config) {
  const auto loaded = load(config.dump(), "f");
  if (loaded) return loaded->config;
  ADD_FAILURE() << testing::lines(loaded.error()).front();
  return {};
}

// --- Definitions and their uses ---

TEST(Tracking, ADefinitionIsReadWithKeepalivedsDefaults) {
  json config = two();
  config["vrrp_scripts"] = json::array({script("chk")});
  config["vrrp_scripts"][0]["interval"] = 5;
  config["vrrp_track_files"] = json::array({{{"name", "maintenance"}, {"file", "/run/maintenance"}}});
  config["vrrp_track_processes"] =
      json::array({{{"name", "haproxy"}, {"process", "haproxy"}, {"quorum", 2}, {"delay", 0.5}}});
  config["vrrp_instances"][0].update({{"track_script", json::array({"chk"})},
                                      {"track_file", json::array({"maintenance"})},
                                      {"track_process", json::array({"haproxy"})},
                                      {"track_interface", json::array({"eth1"})}});
  const model::Config read_config = read(config);
  EXPECT_THAT(read_config.track_scripts,
              ElementsAre(model::TrackScript{.name = "chk",
                                             .command = {.arguments = {"/usr/bin/true"}, .user = "", .group = ""},
                                             .interval = 5s,
                                             .timeout = 5s}))
      << "it may take as long as to the next run";
  EXPECT_THAT(read_config.track_files, ElementsAre(model::TrackFile{"maintenance", "/run/maintenance"}));
  EXPECT_THAT(read_config.track_processes, ElementsAre(model::TrackProcess{"haproxy", "haproxy", 2, 500ms}));
  EXPECT_THAT(read_config.vrrp_instances[0].tracked,
              ElementsAre(model::Tracked{TrackerKind::interface, "eth1", 0, false},
                          model::Tracked{TrackerKind::script, "chk", 0, false},
                          model::Tracked{TrackerKind::file, "maintenance", 1, false},
                          model::Tracked{TrackerKind::process, "haproxy", 1, false}));
}

TEST(Tracking, AUseOverridesItsDefinition) {
  json config = two();
  config["vrrp_scripts"] = json::array({script("chk")});
  config["vrrp_scripts"][0].update({{"weight", -20}, {"reverse", true}});
  auto& uses = config["vrrp_instances"][0]["track_script"];
  const std::pair<json, model::Tracked> cases[] = {
      {"chk", {TrackerKind::script, "chk", -20, true}},
      {"chk weight 5", {TrackerKind::script, "chk", 5, true}},
      {"chk weight 5 noreverse", {TrackerKind::script, "chk", 5, false}},
      {{{"name", "chk"}, {"weight", 0}, {"reverse", false}}, {TrackerKind::script, "chk", 0, false}},
  };
  for (const auto& [use, expected] : cases) {
    uses = json::array({use});
    EXPECT_THAT(read(config).vrrp_instances[0].tracked, ElementsAre(expected)) << use;
  }
}

TEST(Tracking, WhatIsNotDefinedIsAnError) {
  json config = two();
  config["vrrp_instances"][0]["track_script"] = {"chk"};
  EXPECT_THAT(found_in(config),
              ElementsAre("vrrp_instances[0].track_script[0]: no entry of \"vrrp_scripts\" has the name \"chk\""));
  config["vrrp_scripts"] = json::array({{{"name", 5}, {"script", "/usr/bin/true"}}});
  EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("vrrp_scripts[0].name: found a number"))) << "it may be this one";
}

TEST(Tracking, WhatIsThereTwiceIsAnError) {
  json config = two();
  config["vrrp_scripts"] = {script("chk"), script("chk")};
  config["vrrp_instances"][0]["track_script"] = {"chk", "chk weight 5"};
  EXPECT_THAT(found_in(config),
              ElementsAre("vrrp_instances[0].track_script: \"chk\" is there twice; keep one",
                          "vrrp_scripts[1].name: \"chk\" is the name of vrrp_scripts[0] already; each needs its own"));
}

TEST(Tracking, WhatHasNoEffectIsDoubted) {
  json config = two();
  config["vrrp_scripts"] = json::array({script("chk")});
  EXPECT_THAT(found_in(config),
              ElementsAre("warning: vrrp_scripts[0]: no instance has it as \"track_script\": it has no effect"));
  config["vrrp_instances"][0].update({{"track_script", json::array({"chk weight 5"})}, {"priority", 255}});
  EXPECT_THAT(found_in(config), ElementsAre(HasSubstr("vrrp_instances[0].track_script: the weight of \"chk\" has no "
                                                      "effect: priority 255 stays 255")));
}

// --- Commands ---

TEST(Commands, AreSplitWithoutAShell) {
  json config = two();
  auto& notify = config["vrrp_instances"][0]["notify"];
  const std::pair<json, std::vector<std::string>> cases[] = {
      {"/bin/a", {"/bin/a"}},
      {" /bin/a  b\tc ", {"/bin/a", "b", "c"}},
      {"/bin/a 'b c' \"d e\" f\\ g ''", {"/bin/a", "b c", "d e", "f g", ""}},
      {"/bin/sh -c 'a && b > /dev/null'", {"/bin/sh", "-c", "a && b > /dev/null"}},
      {{"/bin/a", "b c", "&&"}, {"/bin/a", "b c", "&&"}},
      {{{"script", "/bin/a b"}}, {"/bin/a", "b"}},
  };
  for (const auto& [written, arguments] : cases) {
    notify = written;
    EXPECT_EQ(read(config).vrrp_instances[0].notify.any.arguments, arguments) << written;
  }
}

TEST(Commands, HaveTheUserOfTheScriptOfTheFileOrNone) {
  json config = two();
  config["vrrp_instances"][0]["notify"] = {{"script", "/bin/a"}, {"user", "nobody nogroup"}};
  config["vrrp_instances"][0]["notify_master"] = "/bin/b";
  EXPECT_EQ(read(config).vrrp_instances[0].notify.master.user, "");
  config["script_user"] = "scripts";
  const model::Notify notify = read(config).vrrp_instances[0].notify;
  EXPECT_EQ(notify.any, (model::Command{{"/bin/a"}, "nobody", "nogroup"}));
  EXPECT_EQ(notify.master, (model::Command{{"/bin/b"}, "scripts", ""}));
  EXPECT_FALSE(notify.stop);
}

struct WrongCommand {
  json command;
  const char* line;
};

class WrongCommands : public ::testing::TestWithParam<WrongCommand> {};

TEST_P(WrongCommands, AreRefused) {
  json config = two();
  config["vrrp_instances"][0]["notify_master"] = GetParam().command;
  EXPECT_THAT(found_in(config), ElementsAre(std::string("vrrp_instances[0].notify_master") + GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, WrongCommands,
    ::testing::Values(
        WrongCommand{"killall -0 haproxy",
                     ": \"killall\" is no whole path; expected the whole path of a program with its arguments, as a "
                     "text or a list of texts, such as \"/usr/bin/killall -0 haproxy\""},
        WrongCommand{"",
                     ": \"\" is no whole path; expected the whole path of a program with its arguments, as a text or a "
                     "list of texts, such as \"/usr/bin/killall -0 haproxy\""},
        WrongCommand{"/bin/a || /bin/b",
                     ": \"||\" is for a shell, but none reads this; put it into a script, or write /bin/sh -c '...'"},
        WrongCommand{"/bin/a 2>&1",
                     ": \"2>&1\" is for a shell, but none reads this; put it into a script, or write /bin/sh -c '...'"},
        WrongCommand{"/bin/a 'b", ": \"/bin/a 'b\" has a quote that does not end"},
        WrongCommand{5,
                     ": found a number; expected the whole path of a program with its arguments, as a text or a list "
                     "of texts"},
        WrongCommand{{"/bin/a", 5}, "[1]: found a number; expected a text of 1 to 4096 characters"},
        WrongCommand{
            {{"script", "/bin/a"}, {"user", "a b c"}},
            ".user: \"a b c\" is not allowed; expected the name of a user, and of a group behind it where that "
            "is not the user's"}));

// --- Sync groups ---

TEST(SyncGroups, GiveTheirTrackersToTheirMembers) {
  json config = two();
  config["vrrp_instances"][0]["track_interface"] = {"eth1", "eth2"};
  config["vrrp_sync_groups"] = {
      {{"name", "G"}, {"group", {"VI_1", "VI_2"}}, {"track_interface", json::array({"eth1"})}, {"notify", "/bin/a"}}};
  const model::Config read_config = read(config);
  ASSERT_EQ(read_config.sync_groups.size(), 1u);
  EXPECT_THAT(read_config.sync_groups[0].instances, ElementsAre("VI_1", "VI_2"));
  EXPECT_EQ(read_config.sync_groups[0].notify.any.arguments, std::vector<std::string>{"/bin/a"});
  const model::Tracked eth1{TrackerKind::interface, "eth1", 0, false};
  EXPECT_THAT(read_config.vrrp_instances[0].tracked,
              ElementsAre(eth1, model::Tracked{TrackerKind::interface, "eth2", 0, false}))
      << "once";
  EXPECT_THAT(read_config.vrrp_instances[1].tracked, ElementsAre(eth1));
  EXPECT_THAT(found_in(config), IsEmpty());
  config["vrrp_instances"][0]["track_interface"] = {"eth1 weight 5"};
  EXPECT_THAT(found_in(config), ElementsAre("vrrp_sync_groups[0]: its member \"VI_1\" has track_interface \"eth1\" "
                                            "otherwise; leave it to the group"));
}

TEST(SyncGroups, HaveMembersThatThereAreAndInOneGroupOnly) {
  json config = two();
  config["vrrp_sync_groups"] =
      json::array({{{"name", "G"}, {"group", {"VI_1", "VI_2"}}}, {{"name", "G"}, {"group", {"VI_1", "VI_3"}}}});
  EXPECT_THAT(
      found_in(config),
      ElementsAre(
          "vrrp_sync_groups[1].group[0]: \"VI_1\" is at vrrp_sync_groups[0].group[0] already; an instance is in "
          "one group, once",
          "vrrp_sync_groups[1].group[1]: no entry of \"vrrp_instances\" has the name \"VI_3\"",
          "vrrp_sync_groups[1].name: \"G\" is the name of vrrp_sync_groups[0] already; each needs its own"));
  config["vrrp_sync_groups"] = json::array({{{"name", "G"}, {"group", json::array()}}});
  EXPECT_THAT(found_in(config), ElementsAre("vrrp_sync_groups[0].group: the group has no members"));
}

TEST(SyncGroups, ShouldHaveSeveralMembersOfOnePriority) {
  json config = two();
  config["vrrp_sync_groups"] = json::array({{{"name", "G"}, {"group", json::array({"VI_1"})}}});
  EXPECT_THAT(found_in(config), ElementsAre("warning: vrrp_sync_groups[0].group: a group of one instance has no "
                                            "effect"));
  config["vrrp_sync_groups"][0]["group"] = {"VI_1", "VI_2"};
  config["vrrp_instances"][1]["priority"] = 50;
  EXPECT_THAT(found_in(config),
              ElementsAre(HasSubstr("\"VI_1\" has priority 100, but \"VI_2\" 50. The group is where all its members")));
}

// --- Defaults of the file, and the rest of an instance ---

TEST(VrrpGlobals, AreTheDefaultsOfInstances) {
  json config = two();
  config.update({{"vrrp_garp_master_repeat", 3},
                 {"vrrp_garp_master_delay", 0},
                 {"vrrp_garp_master_refresh", 30},
                 {"vrrp_garp_master_refresh_repeat", 2},
                 {"vrrp_garp_interval", 0.001},
                 {"vrrp_gna_interval", 0.002},
                 {"vrrp_startup_delay", 5.5},
                 {"vrrp_down_timer_adverts", 4}});
  config["vrrp_instances"][1].update({{"garp_master_repeat", 1},
                                      {"garp_master_delay", 10},
                                      {"garp_master_refresh", 0},
                                      {"garp_master_refresh_repeat", 4},
                                      {"garp_lower_prio_repeat", 0},
                                      {"down_timer_adverts", 5}});
  const auto instances = read(config).vrrp_instances;
  const model::Announcements global{.repeat = 3,
                                    .delay = 0s,
                                    .refresh = 30s,
                                    .refresh_repeat = 2,
                                    .lower_priority_repeat = 3,
                                    .arp_interval = 1ms,
                                    .nd_interval = 2ms};
  EXPECT_EQ(instances[0].announcements, global);
  EXPECT_EQ(instances[0].startup_delay, 5500ms);
  EXPECT_EQ(instances[0].down_timer_adverts, 4);
  const model::Announcements own{.repeat = 1,
                                 .delay = 10s,
                                 .refresh = 0s,
                                 .refresh_repeat = 4,
                                 .lower_priority_repeat = 0,
                                 .arp_interval = 1ms,
                                 .nd_interval = 2ms};
  EXPECT_EQ(instances[1].announcements, own);
  EXPECT_EQ(instances[1].down_timer_adverts, 5);
}

TEST(VrrpGlobals, WithoutThemItIsAsKeepalivedHasItButForTheRefresh) {
  EXPECT_EQ(read(two()).vrrp_instances[0].announcements, model::Announcements());
  EXPECT_EQ(model::Announcements().refresh, 60s);
}

TEST(VrrpGlobals, OneFifo) {
  json config = two();
  config["vrrp_notify_fifo"] = "/run/fifo";
  EXPECT_EQ(read(config).notify_fifo, "/run/fifo");
  config["notify_fifo"] = "fifo";
  EXPECT_THAT(found_in(config), ElementsAre("notify_fifo: \"fifo\" is no whole path; expected one",
                                            "vrrp_notify_fifo: there is one FIFO; keep \"notify_fifo\" or this"));
}

TEST(VrrpGlobals, WhatIsAlwaysSoIsAccepted) {
  json config = two();
  config.update({{"enable_script_security", true}, {"vrrp_skip_check_adv_addr", true}});
  EXPECT_THAT(found_in(config), IsEmpty());
  config["enable_script_security"] = false;
  EXPECT_THAT(found_in(config), ElementsAre("enable_script_security: cannot be switched off: a program that others "
                                            "could change is never run as root"));
}

TEST(Instance, SaysHowItBehaves) {
  json config = two();
  config["vrrp_instances"][0].update({{"use_vmac", true},
                                      {"vmac_xmit_base", true},
                                      {"promote_secondaries", true},
                                      {"dont_track_primary", true},
                                      {"strict_address_list", true},
                                      {"check_source_network", true},
                                      {"farewell", false},
                                      {"address_lost", "fault"}});
  config["vrrp_instances"][1]["use_vmac"] = "vmac2";
  const auto instances = read(config).vrrp_instances;
  const model::VrrpInstance& one = instances[0];
  EXPECT_TRUE(one.use_vmac && one.vmac_base && one.promote_secondaries && one.strict_address_list &&
              one.check_source_network);
  EXPECT_FALSE(one.track_primary || one.farewell);
  EXPECT_EQ(one.address_lost, model::AddressLost::fault);
  EXPECT_EQ(one.vmac_name, "vrrp.1");
  EXPECT_EQ(instances[1].vmac_name, "vmac2");
  const model::VrrpInstance plain = read(two()).vrrp_instances[0];
  EXPECT_FALSE(plain.use_vmac || plain.vmac_base || plain.promote_secondaries || plain.strict_address_list ||
               plain.check_source_network);
  EXPECT_TRUE(plain.track_primary && plain.farewell);
}

struct Wrong {
  json changes;
  const char* line;

  friend void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.changes; }
};

class WrongBehaviour : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongBehaviour, IsRefusedWithWhatIsAllowed) {
  json config = two();
  config["vrrp_instances"][0].update(GetParam().changes);
  EXPECT_THAT(found_in(config), ElementsAre(std::string("vrrp_instances[0].") + GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    Behaviour, WrongBehaviour,
    ::testing::Values(
        Wrong{{{"accept", true}, {"no_accept", true}}, "no_accept: is there beside \"accept\"; keep the one you mean"},
        Wrong{{{"accept", false}},
              "accept: not supported: what is sent to the addresses themselves reaches this host; drop it by nftables, "
              "in the hook input (what goes to real servers does not pass there)"},
        Wrong{{{"vmac_xmit_base", true}}, "vmac_xmit_base: goes with \"use_vmac\" only"},
        Wrong{{{"use_vmac", 5}}, "use_vmac: found a number; expected true, or a name for the interface"},
        Wrong{{{"use_vmac", "eth0"}},
              "use_vmac: eth0 is at vrrp_instances[0].interface already; each macvlan needs a name of its own"},
        Wrong{{{"use_vmac", true}, {"unicast_src_ip", "10.0.0.1"}, {"unicast_peer", json::array({"10.0.0.2"})}},
              "use_vmac: together with \"unicast_peer\" it needs \"vmac_xmit_base\": true"},
        Wrong{{{"down_timer_adverts", 0}},
              "down_timer_adverts: 0 is not allowed; expected a whole number from 1 to 100"},
        Wrong{{{"garp_master_repeat", 0}},
              "garp_master_repeat: 0 is not allowed; expected a whole number from 1 to 100"},
        Wrong{{{"garp_master_delay", -1}}, "garp_master_delay: -1 is not allowed; expected 0 to 86400 seconds"},
        Wrong{{{"address_lost", "ignore"}},
              R"(address_lost: "ignore" is not known here; allowed is "restore" or "fault")"},
        Wrong{{{"skip_check_adv_addr", true}, {"strict_address_list", true}},
              "skip_check_adv_addr: contradicts \"strict_address_list\"; keep the one you mean"},
        Wrong{{{"track_interface", json::array({"eth1 weight 300"})}},
              "track_interface[0].weight: 300 is not allowed; expected a whole number from -254 to 254"},
        Wrong{{{"track_interface", json::array({"eth1 wieght 30"})}},
              "track_interface[0]: unknown key \"wieght\"; did you mean \"weight\"?"}));

// --- Refused by name ---

TEST(Refused, ByNameWithWhatToUseInstead) {
  for (const char* key : {"lvs_sync_daemon",
                          "lvs_sync_daemon_interface",
                          "smtp_alert",
                          "smtp_server",
                          "notification_email",
                          "notification_email_from",
                          "virtual_rules",
                          "track_bfd",
                          "bfd_instance",
                          "vrrp_strict",
                          "vrrp_iptables",
                          "vrrp_ipsets",
                          "nftables",
                          "vrrp_mcast_group4",
                          "mcast_dst_ip",
                          "static_routes",
                          "garp_lower_prio_delay",
                          "notify_fifo_script",
                          "vrrp_rt_priority",
                          "use_ipvlan",
                          "linkbeat_use_polling"}) {
    json config = two();
    config[key] = 1;
    config["vrrp_instances"][0][key] = 1;
    EXPECT_THAT(found_in(config),
                AllOf(::testing::SizeIs(2), Each(HasSubstr("unknown key \"" + std::string(key) + "\": ")),
                      Each(::testing::Not(HasSubstr("yet")))))
        << key;
  }
}

}  // namespace
}  // namespace config
