// SPDX-License-Identifier: Apache-2.0
// An instance with a network that only writes down what is done to it, real leases in a memory file, and given times.
#include "vrrp/instance.hpp"
#include "vrrp_support.hpp"
#include "xdirector/maps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using base::Time;
using testing::ElementsAre;
using testing::IsEmpty;

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

// Its own peer: packets it gets to send are decoded again.
class FakePort : public Port {
 public:
  base::Result<> send(const std::string&, const Datagram& datagram) override {
    if (datagram.destination == unreachable) return base::fail("cannot send an advertisement: Network is unreachable");
    if (!sending_works) return base::fail("cannot send an advertisement: Operation not permitted");
    last_sent = encode_ip(datagram);
    log.push_back("advertise " + std::to_string(datagram.message[2]));
    return {};
  }
  base::Result<netlink::Added> add(const std::string&, const model::VirtualAddress& address) override {
    if (!adding_works) return base::fail("cannot add");
    log.push_back("add " + address.ip.str());
    const bool there = std::ranges::find(addresses, address.ip) != addresses.end();
    if (!there) addresses.push_back(address.ip);
    return there ? netlink::Added::before : netlink::Added::now;
  }
  base::Result<netlink::Removed> remove(const std::string&, const model::VirtualAddress& address) override {
    log.push_back("remove " + address.ip.str());
    return std::erase(addresses, address.ip) > 0 ? netlink::Removed::now : netlink::Removed::before;
  }
  base::Result<netlink::Added> add_route(const model::VirtualRoute& route) override {
    log.push_back("add route " + route.destination.str());
    return routes.insert(route.destination).second ? netlink::Added::now : netlink::Added::before;
  }
  base::Result<netlink::Removed> remove_route(const model::VirtualRoute& route) override {
    log.push_back("remove route " + route.destination.str());
    return routes.erase(route.destination) > 0 ? netlink::Removed::now : netlink::Removed::before;
  }
  base::Result<netlink::Added> add_to_lo(const base::Ip& address) override {
    log.push_back("add " + address.str() + " to lo");
    return netlink::Added::now;
  }
  base::Result<netlink::Removed> remove_from_lo(const base::Ip& address) override {
    log.push_back("remove " + address.str() + " from lo");
    return netlink::Removed::now;
  }
  base::Result<> announce(const std::string&, const model::VirtualAddress& address, int, base::Duration) override {
    if (!announcing_works) return base::fail("cannot announce: No buffer space available");
    log.push_back("announce " + address.ip.str());
    return {};
  }

  std::vector<std::string> take_log() { return std::exchange(log, {}); }

  base::Ip unreachable;
  bool sending_works = true, adding_works = true, announcing_works = true;
  std::vector<base::Ip> addresses;
  std::set<base::Ip> routes;
  std::vector<uint8_t> last_sent;
  std::vector<std::string> log;
};

class VrrpInstanceTest : public testing::Test {
 protected:
  static ipc::VrrpAssignment assignment() {
    ipc::VrrpAssignment a;
    a.instance.name = "VI_1";
    a.instance.interface = "eth0";
    a.instance.virtual_router_id = 100;
    a.instance.auth_pass = "xxxx";
    a.instance.virtual_addresses = {ip("10.0.0.111")};
    a.lease = {7};
    return a;
  }

  static Leases leases_in_memory() {
    const base::Fd file(memfd_create("leases", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(file.get(), sizeof(xd_lease) * XD_MAX_LEASES), 0);
    return *Leases::map(file);
  }

  void deadline() {
    now = instance.deadline().value();
    instance.timer(now);
  }

  void be_master() {
    instance.interface_is(working(), now);
    deadline();
    ASSERT_EQ(instance.report().state, VrrpState::master);
    port.take_log();
  }

  void hear(uint8_t priority, const std::function<void(Advertisement&)>& change = {}, const char* password = "xxxx") {
    Advertisement a{.source = ip("10.0.0.2"),
                    .virtual_router_id = 100,
                    .priority = priority,
                    .interval = 1s,
                    .addresses = {ip("10.0.0.111")}};
    if (change) change(a);
    const auto packet = test::packet_of(a, password);
    instance.received(*decode_ipv4(packet), now);
  }

  void reload(const ipc::VrrpAssignment& next) {
    instance.withdraw(next);
    instance.reconfigure(next, now);
  }

  InterfaceState working() const { return {.problem = {}, .source = kOwn}; }

  const base::Ipv4 kOwn = ip("10.0.0.1");
  Time now{1'000'000'000'000};
  FakePort port;
  Leases leases = leases_in_memory();
  Instance instance{assignment(), port, leases};
};

TEST_F(VrrpInstanceTest, TakesOverLeaseBeforeAddressAndReleasesAddressBeforeLease) {
  instance.interface_is(working(), now);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "add 10.0.0.111", "announce 10.0.0.111"));
  EXPECT_EQ(leases.until(7), now + 3s);
  instance.stop(now);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 0", "remove 10.0.0.111"));
  EXPECT_EQ(leases.until(7), Time{});
}

TEST_F(VrrpInstanceTest, AdvertisesFromTheConfiguredAddressElseFromThePrimaryOne) {
  be_master();
  deadline();
  EXPECT_EQ(test::decode_packet(port.last_sent, instance.assignment().instance)->source, kOwn);
  auto next = assignment();
  next.instance.source = ip("10.0.0.244");
  reload(next);
  deadline();
  EXPECT_EQ(test::decode_packet(port.last_sent, instance.assignment().instance)->source, ip("10.0.0.244"));
}

TEST_F(VrrpInstanceTest, AnnouncesAgainOnlyWhatItHas) {
  instance.interface_is(working(), now);
  port.take_log();
  instance.announce_again();
  EXPECT_THAT(port.take_log(), ElementsAre());
  be_master();
  instance.announce_again();
  EXPECT_THAT(port.take_log(), ElementsAre("announce 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, ResumesOnlyWhileItsLeaseRuns) {
  leases.set(7, now + 1ns);
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.report().state, VrrpState::master);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "add 10.0.0.111", "announce 10.0.0.111"));

  Instance late(assignment(), port, leases);
  leases.set(7, now);
  late.interface_is(working(), now);
  EXPECT_EQ(late.report().state, VrrpState::backup);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, DoesNotResumeOnceABetterMasterIsHeard) {
  leases.set(7, now + 1s);
  hear(200);
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.report().state, VrrpState::backup);
  EXPECT_EQ(leases.until(7), Time{});
}

TEST_F(VrrpInstanceTest, TheFarewellOnYieldingDoesNotRenewTheLease) {
  be_master();
  hear(200);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100"));
  EXPECT_EQ(leases.until(7), Time{});
  EXPECT_EQ(instance.report().master, ip("10.0.0.2"));
  instance.announced(ip("10.0.0.111"), now);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, AFailedSendIsCountedAndRenewsNothing) {
  be_master();
  const Time lease = leases.until(7);
  port.sending_works = false;
  deadline();
  EXPECT_EQ(leases.until(7), lease);
  EXPECT_EQ(instance.report().send_errors, 1u);
  while (instance.report().state == VrrpState::master) deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
  EXPECT_EQ(leases.until(7), Time{});
}

TEST_F(VrrpInstanceTest, NoInvalidPacketTouchesAStateOrATimer) {
  be_master();
  const auto before = instance.deadline();
  hear(200, {}, "wrong");
  hear(200, {}, "");
  hear(200, [](Advertisement& a) { a.interval = 5s; });
  hear(200, [this](Advertisement& a) { a.source = kOwn; });
  hear(200, [](Advertisement& a) { a.addresses.clear(); });
  EXPECT_EQ(instance.report().state, VrrpState::master);
  EXPECT_EQ(instance.deadline(), before);
  EXPECT_THAT(port.take_log(), IsEmpty());
  EXPECT_EQ(instance.report().adverts_rejected, 5u);
  EXPECT_EQ(instance.report().adverts_received, 0u);
  EXPECT_EQ(instance.report().last_rejected, "it carries no address (from 10.0.0.2)");
}

TEST_F(VrrpInstanceTest, OtherAddressesInAPeersAdvertisementAreHeardAllTheSame) {
  be_master();
  hear(200, [](Advertisement& a) { a.addresses = {ip("10.0.0.112"), ip("10.0.0.113")}; });
  EXPECT_EQ(instance.report().state, VrrpState::backup);
}

TEST_F(VrrpInstanceTest, AnInterfaceWithoutAnAddressIsAFaultThatSaysSo) {
  instance.interface_is({}, now);
  EXPECT_EQ(instance.report().state, VrrpState::fault);
  EXPECT_EQ(instance.report().reason, "eth0 has no IPv4 address to send from; give it one, or set mcast_src_ip");
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.report().state, VrrpState::backup);
}

TEST_F(VrrpInstanceTest, GoesToFaultAndBackWithItsInterface) {
  be_master();
  instance.interface_is({.problem = "eth0 has no carrier", .only_down = true, .source = kOwn}, now);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
  EXPECT_EQ(instance.report().state, VrrpState::fault);
  EXPECT_EQ(instance.deadline(), std::nullopt);
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.deadline(), now + 3'609'375us);
}

TEST_F(VrrpInstanceTest, AnAddressTakenAwayIsPutBackAndAnnouncedButNotInALoop) {
  be_master();
  port.addresses.clear();
  instance.restore_addresses(now);
  EXPECT_THAT(port.take_log(), ElementsAre("add 10.0.0.111", "announce 10.0.0.111"));
  port.addresses.clear();
  instance.restore_addresses(now + 1ms);
  EXPECT_THAT(port.take_log(), IsEmpty()) << "not so soon again";
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "add 10.0.0.111", "announce 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, AnAddressThatCouldNotBeAddedIsTriedAgainWithTheNextAdvertisement) {
  instance.interface_is(working(), now);
  port.adding_works = false;
  deadline();
  port.take_log();
  port.adding_works = true;
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "add 10.0.0.111", "announce 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, AnotherMasterIsAProblemButNotWhileTheTwoChangePlaces) {
  be_master();
  hear(50);
  EXPECT_THAT(instance.report().problems, IsEmpty());
  now = now + 3s;
  hear(50);
  ASSERT_EQ(instance.report().problems.size(), 1u);
  EXPECT_EQ(instance.report().problems[0].kind, "two_masters");
  EXPECT_EQ(instance.report().problems[0].peer, ip("10.0.0.2"));
  EXPECT_EQ(instance.report().problems[0].text, "10.0.0.2 is MASTER as well, with priority 50");
  now = now + 11s;
  instance.every_second(now);
  EXPECT_THAT(instance.report().problems, IsEmpty());
}

TEST_F(VrrpInstanceTest, EachKindOfTroubleWithAPeerHasItsWord) {
  be_master();
  hear(200, {}, "wrong");
  hear(200, [](Advertisement& a) { a.interval = 5s; });
  hear(100, [](Advertisement& a) { a.addresses = {ip("10.0.0.7")}; });
  hear(100, [](Advertisement& a) { a.addresses.push_back(ip("10.0.0.7")); });
  std::vector<std::string> kinds;
  for (const auto& problem : instance.report().problems) kinds.push_back(problem.kind);
  EXPECT_THAT(kinds, ElementsAre("authentication", "advert_int", "other_router", "addresses"));
}

TEST_F(VrrpInstanceTest, AHandoverIsOverWhenEveryAddressHasBeenAnnouncedByTheOther) {
  be_master();
  instance.hand_over(/*stop=*/true, now);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 0"));
  EXPECT_TRUE(instance.wants_announcements());
  hear(50);
  EXPECT_EQ(leases.until(7), Time{}) << "no more answers to ARP";
  EXPECT_THAT(port.take_log(), IsEmpty());
  instance.announced(ip("10.0.0.112"), now);
  EXPECT_EQ(instance.report().state, VrrpState::master) << "that one is not ours";
  instance.announced(ip("10.0.0.111"), now);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111"));
  EXPECT_EQ(instance.report().state, VrrpState::init);
  EXPECT_FALSE(instance.wants_announcements());
}

// --- trackers

class TrackingInstanceTest : public VrrpInstanceTest {
 protected:
  void tracks(int weight) {
    auto next = assignment();
    next.instance.tracked = {{.kind = model::TrackerKind::script, .name = "chk", .weight = weight}};
    reload(next);
  }
  void script_is(bool up) {
    instance.trackers_are({{.kind = model::TrackerKind::script, .name = "chk", .known = true, .up = up}}, now);
  }
};

TEST_F(TrackingInstanceTest, ALoweredPriorityIsInTheNextAdvertisementAndNothingElseHappens) {
  tracks(-30);
  be_master();
  script_is(false);
  EXPECT_THAT(port.take_log(), IsEmpty());
  EXPECT_EQ(instance.report().priority, 70);
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 70"));
  script_is(true);
  EXPECT_EQ(instance.report().priority, 100);
}

TEST_F(TrackingInstanceTest, WithWeightZeroItIsInFaultWhileItFailsAndTellsOthers) {
  tracks(0);
  script_is(true);
  be_master();
  script_is(false);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 0", "remove 10.0.0.111"));
  EXPECT_EQ(instance.report().state, VrrpState::fault);
  EXPECT_EQ(instance.report().reason, "track_script chk is down");
  script_is(true);
  EXPECT_EQ(instance.report().state, VrrpState::backup);
}

TEST_F(TrackingInstanceTest, AStartWaitsForTheFirstResultButAResumeDoesNot) {
  tracks(0);
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.report().state, VrrpState::init);
  EXPECT_EQ(instance.report().reason, "waiting for the first result of track_script chk");
  script_is(true);
  EXPECT_EQ(instance.report().state, VrrpState::backup);

  auto tracking = assignment();
  tracking.instance.tracked = {{.kind = model::TrackerKind::script, .name = "chk"}};
  leases.set(7, now + 1s);
  Instance resumed(tracking, port, leases);
  resumed.interface_is(working(), now);
  EXPECT_EQ(resumed.report().state, VrrpState::master);
}

TEST_F(TrackingInstanceTest, AFaultOfItsGroupIsItsOwnUntilItIsOver) {
  be_master();
  instance.group_fault_is("sync group G: VI_2: eth1 is down", now);
  EXPECT_EQ(instance.report().state, VrrpState::fault);
  EXPECT_EQ(instance.own_fault(), "") << "else the group would hold itself in FAULT";
  instance.group_fault_is("", now);
  EXPECT_EQ(instance.report().state, VrrpState::backup);
}

TEST_F(VrrpInstanceTest, DontTrackPrimaryLivesWithADownInterface) {
  auto next = assignment();
  next.instance.track_primary = false;
  reload(next);
  be_master();
  instance.interface_is({.problem = "eth0 has no carrier", .only_down = true, .source = kOwn}, now);
  EXPECT_EQ(instance.report().state, VrrpState::master);
  instance.interface_is({.problem = "eth0 does not exist", .source = kOwn}, now);
  EXPECT_EQ(instance.report().state, VrrpState::fault);
}

TEST_F(VrrpInstanceTest, AnAddressThatIsTakenOffCanBeAFault) {
  auto next = assignment();
  next.instance.address_lost = model::AddressLost::fault;
  reload(next);
  be_master();
  instance.restore_addresses(now);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 0", "remove 10.0.0.111"));
  EXPECT_EQ(instance.report().state, VrrpState::backup) << "with a full wait";
}

TEST_F(VrrpInstanceTest, AnAnnouncementThatCouldNotBeSentIsMadeUpForWithTheNextAdvertisement) {
  instance.interface_is(working(), now);
  port.announcing_works = false;
  deadline();
  port.take_log();
  port.announcing_works = true;
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "announce 10.0.0.111"));
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100"));
}

TEST_F(VrrpInstanceTest, AUnicastPeerThatCannotBeReachedDoesNotCostTheOthers) {
  auto next = assignment();
  next.instance.unicast_peers = {{.address = ip("10.0.0.2")}, {.address = ip("10.9.9.9")}};
  reload(next);
  be_master();
  port.unreachable = ip("10.9.9.9");
  const Time before = leases.until(7);
  deadline();
  EXPECT_GT(leases.until(7), before);
  port.unreachable = {};
}

// --- a director that is a real server, too

class ServingInstanceTest : public VrrpInstanceTest {
 protected:
  ServingInstanceTest() {
    auto serving = assignment();
    serving.served_here = {ip("10.0.0.111")};
    reload(serving);
  }
};

TEST_F(ServingInstanceTest, MovesTheAddressWithTheRoleAndNeverHasItNowhere) {
  instance.interface_is(working(), now);
  EXPECT_THAT(port.take_log(), ElementsAre("add 10.0.0.111 to lo", "remove 10.0.0.111"));
  deadline();
  EXPECT_THAT(port.take_log(),
              ElementsAre("advertise 100", "add 10.0.0.111", "remove 10.0.0.111 from lo", "announce 10.0.0.111"));
  hear(200);
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "add 10.0.0.111 to lo", "remove 10.0.0.111"));
  instance.stop(now);
  EXPECT_THAT(port.take_log(), IsEmpty()) << "it goes on as a real server of its peer";
}

TEST_F(ServingInstanceTest, AMasterThatStopsLeavesTheAddressOnLo) {
  be_master();
  instance.stop(now);
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 0", "add 10.0.0.111 to lo", "remove 10.0.0.111"));
}

TEST_F(ServingInstanceTest, TheAddressStaysOnLoWhenTheInterfaceDoesNotTakeIt) {
  instance.interface_is(working(), now);
  port.take_log();
  port.adding_works = false;
  deadline();
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 100", "announce 10.0.0.111"));
}

TEST_F(ServingInstanceTest, WantsTheAddressOnLoWhileNotMaster) {
  EXPECT_THAT(instance.addresses_for_lo(), IsEmpty()) << "not started: it may be going to resume";
  instance.interface_is(working(), now);
  EXPECT_THAT(instance.addresses_for_lo(), ElementsAre(ip("10.0.0.111")));
  deadline();
  EXPECT_THAT(instance.addresses_for_lo(), IsEmpty());
  reload(assignment());
  hear(200);
  EXPECT_THAT(instance.addresses_for_lo(), IsEmpty()) << "not served here any more";
}

// --- reload

TEST_F(VrrpInstanceTest, AReloadThatChangesAddressesKeepsTheOthersAndTheMaster) {
  be_master();
  auto next = assignment();
  next.instance.virtual_addresses = {ip("10.0.0.112")};
  next.lease = {9};
  reload(next);
  EXPECT_THAT(port.take_log(), ElementsAre("remove 10.0.0.111", "add 10.0.0.112", "announce 10.0.0.112"));
  EXPECT_EQ(instance.report().state, VrrpState::master);
  EXPECT_EQ(leases.until(7), Time{});
  EXPECT_EQ(leases.until(9), now + 3s);
}

TEST_F(VrrpInstanceTest, AReloadOfABackupTouchesNoAddress) {
  instance.interface_is(working(), now);
  port.take_log();
  auto next = assignment();
  next.instance.virtual_addresses = {ip("10.0.0.112")};
  reload(next);
  EXPECT_THAT(port.take_log(), IsEmpty());
  EXPECT_EQ(leases.until(7), Time{});
}

TEST_F(VrrpInstanceTest, AReloadOfPriorityAndPasswordIsInTheNextAdvertisementAndNoSooner) {
  be_master();
  auto next = assignment();
  next.instance.priority = 20;
  next.instance.auth_pass = "other";
  const auto before = instance.deadline();
  reload(next);
  EXPECT_THAT(port.take_log(), IsEmpty());
  EXPECT_EQ(instance.deadline(), before);
  EXPECT_EQ(instance.report().priority, 20);
  deadline();
  EXPECT_EQ(test::decode_packet(port.last_sent, instance.assignment().instance)->priority, 20);
}

TEST_F(VrrpInstanceTest, AReloadBeforeTheInterfaceWasLookedAtStartsNothing) {
  leases.set(7, now + 1s);
  auto next = assignment();
  next.instance.priority = 20;
  reload(next);
  EXPECT_EQ(instance.report().state, VrrpState::init);
  instance.interface_is(working(), now);
  EXPECT_EQ(instance.report().state, VrrpState::master) << "resumed, with the new priority";
  EXPECT_THAT(port.take_log(), ElementsAre("advertise 20", "add 10.0.0.111", "announce 10.0.0.111"));
}

TEST_F(VrrpInstanceTest, IsAnotherOneWithAnotherNameInterfaceOrRouter) {
  EXPECT_TRUE(instance.is_same_as(assignment()));
  auto other = assignment();
  other.instance.priority = 1;
  EXPECT_TRUE(instance.is_same_as(other));
  other.instance.virtual_router_id = 101;
  EXPECT_FALSE(instance.is_same_as(other));
  other = assignment();
  other.instance.interface = "eth1";
  EXPECT_FALSE(instance.is_same_as(other));
}

TEST_F(VrrpInstanceTest, VirtualRoutesComeAfterTheAddressesAndGoBeforeThem) {
  ipc::VrrpAssignment a = assignment();
  a.instance.virtual_routes = {{.destination = *base::Ip::parse("10.20.0.0"), .prefix_length = 16}};
  reload(a);
  instance.interface_is({.problem = "", .only_down = false, .source = kOwn}, now);
  port.take_log();
  deadline();
  const auto taken = port.take_log();
  const auto address = std::ranges::find(taken, "add 10.0.0.111"),
             route = std::ranges::find(taken, "add route 10.20.0.0");
  ASSERT_NE(route, taken.end());
  EXPECT_LT(address - taken.begin(), route - taken.begin());
  port.routes.clear();  // as the kernel does when a link goes down
  instance.every_second(now);
  EXPECT_TRUE(port.routes.contains(*base::Ip::parse("10.20.0.0")));
  port.take_log();
  hear(200);
  deadline();
  const auto left = port.take_log();
  EXPECT_LT(std::ranges::find(left, "remove route 10.20.0.0"), std::ranges::find(left, "remove 10.0.0.111"));
  EXPECT_TRUE(port.routes.empty());
  instance.every_second(now);
  EXPECT_TRUE(port.routes.empty()) << "a BACKUP has none";
}

TEST_F(VrrpInstanceTest, AReloadTakesOffRoutesThatAreGoneAndAddsNewOnes) {
  ipc::VrrpAssignment a = assignment();
  be_master();
  a.instance.virtual_routes = {{.destination = *base::Ip::parse("10.20.0.0"), .prefix_length = 16}};
  reload(a);
  EXPECT_TRUE(port.routes.contains(*base::Ip::parse("10.20.0.0")));
  a.instance.virtual_routes = {{.destination = *base::Ip::parse("10.30.0.0"), .prefix_length = 16}};
  reload(a);
  EXPECT_THAT(port.routes, ElementsAre(*base::Ip::parse("10.30.0.0")));
}

}  // namespace
}  // namespace vrrp
