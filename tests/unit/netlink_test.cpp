// SPDX-License-Identifier: Apache-2.0
// netlink/ against the real kernel: each test runs on a thread in a network namespace of its own, which ends with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

#include "netlink/addresses.hpp"
#include "netlink/ethtool.hpp"
#include "netlink/links.hpp"
#include "netlink/macvlan.hpp"
#include "netlink/monitor.hpp"
#include "netlink/neighbours.hpp"
#include "netlink/routes.hpp"
#include "netlink/xdp_features.hpp"
#include "own_network.hpp"

namespace netlink {
namespace {

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

using test::run_until;
using test::sh;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Runs the test's body with a socket in a network of its own.
template <typename Body>
void in_own_network(Body body) {
  test::in_own_network([&] {
    auto socket = Socket::open();
    ASSERT_TRUE(socket) << socket.error().message;
    body(*socket);
  });
}

TEST(Netlink, FindsLinksByNameAndKnowsWhetherTheyRun) {
  in_own_network([](Socket& socket) {
    const auto near = find_link(socket, "near");
    ASSERT_TRUE(near && *near);
    EXPECT_TRUE((*near)->up);
    EXPECT_TRUE((*near)->running);
    EXPECT_NE((*near)->mac, base::Mac());
    sh("ip link set far down");
    EXPECT_FALSE((*find_link(socket, "near"))->running) << "no carrier";
    EXPECT_FALSE(*find_link(socket, "nosuch"));
    EXPECT_FALSE(*find_link(socket, "a-name-longer-than-the-kernel-allows"));
    const auto all = links(socket);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), 3u) << "lo, near, far";
  });
}

TEST(Netlink, KnowsWhatALinkIsAndWhatItsDriverDoes) {
  in_own_network([](Socket& socket) {
    sh("ip link set near mtu 9000 && ip link add br0 type bridge && ip link set far master br0");
    const Link near = **find_link(socket, "near"), far = **find_link(socket, "far"), br0 = **find_link(socket, "br0");
    EXPECT_EQ(near.mtu, 9000u);
    EXPECT_EQ(near.kind, "veth");
    EXPECT_TRUE(near.ethernet);
    EXPECT_EQ(near.master, 0);
    EXPECT_FALSE(near.vlan) << "though it has a peer, which is told like a parent";
    EXPECT_EQ(far.master, br0.index);
    EXPECT_EQ(br0.kind, "bridge");
    EXPECT_FALSE((**find_link(socket, "lo")).ethernet);

    const Ethtool told = ethtool("near");
    EXPECT_EQ(told.driver, "veth");
    EXPECT_FALSE(told.lro);
    ASSERT_TRUE(told.channels);
    EXPECT_GE(told.channels->rx + told.channels->combined, 1u);
    sh("ethtool -K near rxvlan off 2>/dev/null");
    EXPECT_FALSE(ethtool("near").strips_vlan_tags);
    sh("ethtool -K near rxvlan on 2>/dev/null");
    EXPECT_TRUE(ethtool("near").strips_vlan_tags);
    EXPECT_EQ(ethtool("nosuch"), Ethtool{});
  });
}

TEST(Netlink, KnowsWhatADriverCanDoWithXdp) {
  in_own_network([](Socket& socket) {
    sh("ip link add br0 type bridge");
    const auto near = xdp_features((*find_link(socket, "near"))->index);
    if (!near) GTEST_SKIP() << "this kernel does not say";
    EXPECT_TRUE(near->native);
    EXPECT_TRUE(near->multi_buffer);
    EXPECT_FALSE(near->sends) << "its peer has no program";
    EXPECT_EQ(xdp_features((*find_link(socket, "br0"))->index), XdpFeatures{});
    EXPECT_EQ(xdp_features(4711), std::nullopt) << "no such interface";
  });
}

// As add_address() puts it there.
Address ours(int ifindex, const char* text, uint8_t prefix_length) {
  return {.ifindex = ifindex, .ip = ip(text), .prefix_length = prefix_length, .ours = true};
}

TEST(Netlink, AddingAndRemovingAnAddressSaysWhetherItWasThere) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    const Address vip = ours(near, "10.9.0.100", 32), nowhere = ours(4711, "10.9.0.100", 32);
    EXPECT_EQ(*add_address(socket, near, ip("10.9.0.100")), Added::now);
    EXPECT_EQ(*add_address(socket, near, ip("10.9.0.100")), Added::before);
    EXPECT_THAT(*addresses(socket), Contains(vip));
    EXPECT_EQ(*remove_address(socket, vip), Removed::now);
    EXPECT_EQ(*remove_address(socket, vip), Removed::before);
    EXPECT_EQ(*remove_address(socket, nowhere), Removed::before) << "no such interface";
    const auto refused = add_address(socket, 4711, ip("10.9.0.100"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot add 10.9.0.100/32 to interface 4711: No such device");
  });
}

TEST(Netlink, AnAddressHasPrefixLabelBroadcastAndScope) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    NewAddress address(ip("10.9.5.100"), 20);
    address.label = "near:vip";
    address.broadcast = ip("10.9.15.255").v4();
    address.scope = 200;  // RT_SCOPE_SITE
    ASSERT_EQ(*add_address(socket, near, address), Added::now);
    sh("ip addr show dev near | grep -q 'inet 10.9.5.100/20 brd 10.9.15.255 scope site proto 0x70 near:vip' ||"
       "ip addr show dev near | grep -q 'inet 10.9.5.100/20 brd 10.9.15.255 scope site.* near:vip'");
    EXPECT_EQ(*add_address(socket, near, NewAddress(ip("10.9.5.100"), 24)), Added::now) << "another prefix";
  });
}

TEST(Netlink, TakesOffWhatIsOursWithWhateverPrefixAndLeavesTheRest) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index, far = (*find_link(socket, "far"))->index;
    ASSERT_TRUE(add_address(socket, near, NewAddress(ip("10.9.0.100"), 24)));
    ASSERT_TRUE(add_address(socket, near, NewAddress(ip("10.9.0.100"), 32)));
    ASSERT_TRUE(add_address(socket, far, ip("10.9.0.100")));
    ASSERT_TRUE(add_address(socket, near, NewAddress(ip("fd00:9::100"), 64)));
    sh("ip addr add 10.9.0.100/16 dev near");
    EXPECT_EQ(*remove_address(socket, near, ip("10.9.0.100"), Whose::ours), Removed::now);
    EXPECT_EQ(*remove_address(socket, near, ip("10.9.0.100"), Whose::ours), Removed::before);
    EXPECT_EQ(*remove_address(socket, near, ip("fd00:9::100"), Whose::ours), Removed::now);
    auto with_that_ip = *addresses(socket);
    std::erase_if(with_that_ip, [](auto& a) { return a.ip != ip("10.9.0.100"); });
    EXPECT_THAT(with_that_ip, UnorderedElementsAre(Address{near, ip("10.9.0.100"), 16}, ours(far, "10.9.0.100", 32)));
    EXPECT_EQ(*remove_address(socket, near, ip("10.9.0.100"), Whose::anyones), Removed::now);
    EXPECT_EQ(*remove_address(socket, 4711, ip("10.9.0.100"), Whose::anyones), Removed::before) << "no such interface";
  });
}

TEST(Netlink, AnIpv6AddressIsUsableAtOnce) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    const Address vip = ours(near, "fd00:9::100", 128), in_network = ours(near, "fd00:9::200", 64);
    EXPECT_EQ(*add_address(socket, near, ip("fd00:9::100")), Added::now);
    EXPECT_EQ(*add_address(socket, near, ip("fd00:9::100")), Added::before);
    EXPECT_EQ(*add_address(socket, near, NewAddress(ip("fd00:9::200"), 64)), Added::now);
    EXPECT_THAT(*addresses(socket), AllOf(Contains(vip), Contains(in_network)));
    sh("! ip -6 addr show dev near tentative | grep -q fd00:9::");  // no duplicate address detection
    sh("ip addr add fd00:9::1/64 dev near nodad");
    EXPECT_EQ((*route_to(socket, ip("fd00:9::101")))->source, ip("fd00:9::1")) << "never the source of what we send";
    EXPECT_EQ(*remove_address(socket, in_network), Removed::now);
    EXPECT_EQ(*remove_address(socket, vip), Removed::now);
    EXPECT_EQ(*remove_address(socket, vip), Removed::before);
    EXPECT_EQ(add_address(socket, 4711, ip("fd00:9::100")).error().message,
              "cannot add fd00:9::100/128 to interface 4711: No such device");
  });
}

TEST(Netlink, AnIpv6AddressIsNotUsableWhileItMayBeInUseElsewhere) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    sh("ip addr flush dev near && ip addr add fe80::1/64 dev near");
    const auto all = *addresses(socket);
    const auto found = std::ranges::find(all, ip("fe80::1"), &Address::ip);
    ASSERT_NE(found, all.end());
    EXPECT_FALSE(found->usable) << "duplicate address detection takes a second";
    EXPECT_EQ(primary_address(all, near, AF_INET6), std::nullopt);
  });
}

TEST(PrimaryAddress, IsTheFirstWithANetworkAndNeverASecondaryOne) {
  const std::vector<Address> all{{2, ip("10.9.0.100"), 32},
                                 {3, ip("10.8.0.1"), 24},
                                 {2, ip("10.9.0.3"), 24, false, true, true},
                                 {2, ip("10.9.0.2"), 24, true},
                                 {2, ip("10.9.0.1"), 24}};
  EXPECT_EQ(primary_address(all, 2, AF_INET), ip("10.9.0.1")) << "and never a virtual one";
  EXPECT_EQ(primary_address({all[0]}, 2, AF_INET), ip("10.9.0.100")) << "nothing but a /32";
  EXPECT_EQ(primary_address({all[0]}, 2, AF_INET, {ip("10.9.0.100")}), std::nullopt) << "and that is a virtual one";
  EXPECT_EQ(primary_address(all, 4, AF_INET), std::nullopt);
  EXPECT_EQ(primary_address(all, 2, AF_INET6), std::nullopt);
}

TEST(PrimaryAddress, OfIpv6IsTheLinkLocalOne) {
  const std::vector<Address> all{{2, ip("fd00:9::1"), 64},
                                 {2, ip("fe80::bad"), 64, false, false},
                                 {2, ip("fe80::100"), 64, false, true, true},
                                 {2, ip("fe80::1"), 64},
                                 {3, ip("fe80::3"), 64}};
  EXPECT_EQ(primary_address(all, 2, AF_INET6), ip("fe80::1"));
  EXPECT_EQ(primary_address(all, 2, AF_INET), std::nullopt);
}

TEST(Netlink, TellsDirectLocalAndUnreachableRoutesApart) {
  in_own_network([](Socket& socket) {
    sh("ip link set lo up && ip route add 10.20.0.0/16 via 10.9.0.2 && ip route add unreachable 10.30.0.0/16");
    const int near = (*find_link(socket, "near"))->index;
    EXPECT_EQ(*route_to(socket, ip("10.9.0.34")), (Route{near, true, false, ip("10.9.0.1")}));
    EXPECT_EQ(*route_to(socket, ip("10.20.0.1")), (Route{near, false, false, ip("10.9.0.1")}));
    EXPECT_TRUE((*route_to(socket, ip("10.9.0.1")))->local);
    EXPECT_EQ(*route_to(socket, ip("10.30.0.1")), std::nullopt);
    EXPECT_EQ(*route_to(socket, ip("172.16.0.1")), std::nullopt) << "no route at all";
  });
}

TEST(Netlink, ProbingANeighbourMakesTheKernelResolveIt) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    ASSERT_TRUE(probe(socket, near, ip("10.9.0.2")));
    EXPECT_EQ(neighbours(socket)->at(0), (Neighbour{near, ip("10.9.0.2"), std::nullopt, NeighbourState::incomplete}));
    sh("ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev near nud stale");
    EXPECT_EQ(neighbours(socket)->at(0).mac, base::Mac::parse("02:00:00:00:00:02"));
    ASSERT_TRUE(probe(socket, near, ip("10.9.0.2")));
    EXPECT_EQ(neighbours(socket)->at(0).state, NeighbourState::delay) << "a stale one is revalidated";
  });
}

TEST(Netlink, TellsDirectLocalAndUnreachableIpv6RoutesApart) {
  in_own_network([](Socket& socket) {
    sh("ip link set lo up && ip addr add fd00:9::1/64 dev near nodad && ip route add fd00:20::/64 via fd00:9::2 && "
       "ip route add unreachable fd00:30::/64 && ip route add blackhole fd00:40::/64 && "
       // The kernel adds this one in a work item of its own.
       "timeout 5 sh -c 'until ip -6 route show table local | grep -q \"local fd00:9::1 \"; do :; done'");
    const int near = (*find_link(socket, "near"))->index;
    EXPECT_EQ(*route_to(socket, ip("fd00:9::34")), (Route{near, true, false, ip("fd00:9::1")}));
    EXPECT_EQ(*route_to(socket, ip("fd00:20::1")), (Route{near, false, false, ip("fd00:9::1")}));
    EXPECT_TRUE((*route_to(socket, ip("fd00:9::1")))->local);
    EXPECT_EQ(*route_to(socket, ip("fd00:30::1")), std::nullopt);
    EXPECT_EQ(*route_to(socket, ip("fd00:40::1")), std::nullopt);
    EXPECT_EQ(*route_to(socket, ip("2001:db8::1")), std::nullopt) << "no route at all";
  });
}

TEST(Netlink, ProbingAnIpv6NeighbourMakesTheKernelResolveIt) {
  in_own_network([](Socket& socket) {
    sh("ip addr add fd00:9::1/64 dev near nodad");
    const int near = (*find_link(socket, "near"))->index;
    auto neighbour = [&] {
      const std::vector<Neighbour> all = *neighbours(socket);
      return *std::ranges::find(all, ip("fd00:9::2"), &Neighbour::ip);
    };
    ASSERT_TRUE(probe(socket, near, ip("fd00:9::2")));
    EXPECT_EQ(neighbour(), (Neighbour{near, ip("fd00:9::2"), std::nullopt, NeighbourState::incomplete}));
    sh("ip neigh replace fd00:9::2 lladdr 02:00:00:00:00:02 dev near nud stale");
    EXPECT_EQ(neighbour().mac, base::Mac::parse("02:00:00:00:00:02"));
    ASSERT_TRUE(probe(socket, near, ip("fd00:9::2")));
    EXPECT_EQ(neighbour().state, NeighbourState::delay) << "a stale one is revalidated";
  });
}

TEST(Netlink, RevalidatingAsksANeighbourThatIsBelievedToBeThere) {
  in_own_network([](Socket& socket) {
    sh("ip addr add fd00:9::1/64 dev near nodad");
    const int near = (*find_link(socket, "near"))->index;
    for (const char* address : {"10.9.0.2", "fd00:9::2"}) {
      auto set = [&](const char* state) {
        sh(("ip neigh replace " + std::string(address) + " lladdr 02:00:00:00:00:02 dev near nud " + state).c_str());
      };
      auto state = [&] {
        const std::vector<Neighbour> all = *neighbours(socket);
        return std::ranges::find(all, ip(address), &Neighbour::ip)->state;
      };
      ASSERT_TRUE(revalidate(socket, near, ip(address))) << "not known: nothing to do";
      for (const char* believed : {"reachable", "stale", "delay"}) {
        set(believed);
        ASSERT_TRUE(revalidate(socket, near, ip(address)));
        EXPECT_EQ(state(), NeighbourState::probe) << believed;
      }
      set("permanent");
      ASSERT_TRUE(revalidate(socket, near, ip(address)));
      EXPECT_EQ(state(), NeighbourState::permanent) << "an operator's word";
    }
    EXPECT_EQ(revalidate(socket, 4711, ip("10.9.0.2")).error().message,
              "cannot revalidate the neighbour 10.9.0.2 on interface 4711: No such device");
  });
}

TEST(Netlink, AMacvlanOfOursHasTheMacAndNoAddressOfTheKernels) {
  in_own_network([](Socket& socket) {
    const Link near = **find_link(socket, "near");
    const NewMacvlan wanted{.name = "vrrp.100", .parent = near.index, .mac = *base::Mac::parse("00:00:5e:00:01:64")};
    const auto added = add_macvlan(socket, wanted);
    ASSERT_TRUE(added) << added.error().message;
    const Link link = **find_link(socket, "vrrp.100");
    EXPECT_EQ(link.mac, wanted.mac);
    EXPECT_EQ(link.macvlan_base, near.index);
    EXPECT_TRUE(link.up);
    EXPECT_TRUE(is_our_macvlan(link));
    EXPECT_FALSE(is_our_macvlan(near));
    sh("ip -d link show vrrp.100 | grep -q 'macvlan mode private'");
    sh("! ip -6 addr show dev vrrp.100 | grep -q inet6");
    EXPECT_EQ(add_macvlan(socket, wanted).error().message, "cannot add the interface vrrp.100: File exists");
    sh("ip link add other link near type macvlan");
    EXPECT_FALSE(is_our_macvlan(**find_link(socket, "other"))) << "an operator's";
    EXPECT_TRUE(remove_macvlan(socket, link.index));
    EXPECT_TRUE(remove_macvlan(socket, link.index)) << "gone already";
    EXPECT_FALSE(*find_link(socket, "vrrp.100"));
  });
}

TEST(Netlink, AVirtualRouteIsPutThereOnceAndTakenOff) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    const NewRoute route{.destination = ip("10.20.0.0"),
                         .prefix_length = 16,
                         .via = ip("10.9.0.2"),
                         .source = ip("10.9.0.1"),
                         .table = 200,
                         .metric = 7};
    EXPECT_EQ(*add_route(socket, route), Added::now);
    EXPECT_EQ(*add_route(socket, route), Added::before);
    sh("ip route show table 200 | grep -q '10.20.0.0/16 via 10.9.0.2 dev near proto 112 src 10.9.0.1 metric 7'");
    NewRoute found = route;
    found.ifindex = near;
    EXPECT_THAT(*our_routes(socket), UnorderedElementsAre(found));
    EXPECT_EQ(*remove_route(socket, route), Removed::now);
    EXPECT_EQ(*remove_route(socket, route), Removed::before);
    EXPECT_THAT(*our_routes(socket), IsEmpty());
  });
}

TEST(Netlink, AVirtualRouteMayBeDirectOnTheLinkOrTheDefault) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    const NewRoute direct{.destination = ip("10.30.0.0"), .prefix_length = 16, .ifindex = near};
    const NewRoute on_link{.destination = ip("0.0.0.0"), .via = ip("172.16.0.1"), .ifindex = near, .on_link = true};
    for (const NewRoute& route : {direct, on_link}) EXPECT_EQ(*add_route(socket, route), Added::now);
    sh("ip route | grep -q '10.30.0.0/16 dev near proto 112 scope link'");
    sh("ip route | grep -q 'default via 172.16.0.1 dev near proto 112 onlink'");
    const auto ours = *our_routes(socket);
    ASSERT_EQ(ours.size(), 2u);
    for (const NewRoute& route : ours) {
      const auto removed = remove_route(socket, route);
      EXPECT_TRUE(removed) << removed.error().message;
    }
    EXPECT_THAT(*our_routes(socket), IsEmpty());
    const auto refused =
        add_route(socket, {.destination = ip("10.40.0.0"), .prefix_length = 16, .via = ip("10.7.0.1")});
    EXPECT_EQ(refused.error().message, "cannot add the route to 10.40.0.0/16: Network is unreachable");
  });
}

TEST(Netlink, AnIpv6VirtualRoute) {
  in_own_network([](Socket& socket) {
    sh("ip addr add fd00:9::1/64 dev near nodad");
    const NewRoute route{.destination = ip("fd00:20::"), .prefix_length = 64, .via = ip("fd00:9::2"), .metric = 7};
    EXPECT_EQ(*add_route(socket, route), Added::now);
    EXPECT_EQ(*add_route(socket, route), Added::before);
    ASSERT_EQ(our_routes(socket)->size(), 1u);
    EXPECT_EQ(our_routes(socket)->at(0).via, ip("fd00:9::2"));
    EXPECT_EQ(*remove_route(socket, route), Removed::now);
    EXPECT_EQ(*remove_route(socket, route), Removed::before);
  });
}

TEST(Netlink, ARouteThatIsNotOursStays) {
  in_own_network([](Socket& socket) {
    sh("ip route add 10.20.0.0/16 via 10.9.0.2");
    const NewRoute route{.destination = ip("10.20.0.0"), .prefix_length = 16, .via = ip("10.9.0.3")};
    EXPECT_EQ(*add_route(socket, route), Added::before);
    EXPECT_EQ(*remove_route(socket, route), Removed::before);
    EXPECT_THAT(*our_routes(socket), IsEmpty());
    sh("ip route | grep -q '10.20.0.0/16 via 10.9.0.2'");
  });
}

TEST(Monitor, TellsOfLinksAddressesAndNeighbours) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    std::vector<std::string> seen;
    loop::Loop loop;
    auto monitor = Monitor::start(
        loop, {.on_link = [&](Change c, const Link& l) { seen.push_back(l.name + (c == Change::gone ? " gone" : "")); },
               .on_address =
                   [&](Change c, const Address& address) {
                     seen.push_back(address.ip.str() + (c == Change::gone ? " gone" : ""));
                   },
               .on_neighbour =
                   [&](Change c, const Neighbour& n) {
                     seen.push_back("neighbour " + n.ip.str() + (c == Change::gone ? " gone" : ""));
                   },
               .on_resync = [&] { seen.emplace_back("resync"); }});
    ASSERT_TRUE(monitor) << monitor.error().message;
    auto was_seen = [&](const char* what) {
      return run_until(loop, [&] { return std::ranges::find(seen, what) != seen.end(); });
    };
    ASSERT_TRUE(add_address(socket, near, ip("10.9.0.100")));
    EXPECT_TRUE(was_seen("10.9.0.100"));
    ASSERT_TRUE(remove_address(socket, ours(near, "10.9.0.100", 32)));
    EXPECT_TRUE(was_seen("10.9.0.100 gone"));
    ASSERT_TRUE(add_address(socket, near, ip("fd00:9::100")));
    EXPECT_TRUE(was_seen("fd00:9::100"));
    sh("ip neigh add fd00:9::2 lladdr 02:00:00:00:00:02 dev near");
    EXPECT_TRUE(was_seen("neighbour fd00:9::2"));
    sh("ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev near");
    EXPECT_TRUE(was_seen("neighbour 10.9.0.2"));
    sh("ip link del near");
    EXPECT_TRUE(was_seen("near gone"));
    EXPECT_TRUE(std::ranges::find(seen, "resync") == seen.end());
  });
}

TEST(Monitor, AsksForAResyncWhenEventsWereLost) {
  in_own_network([](Socket& socket) {
    const int near = (*find_link(socket, "near"))->index;
    int events = 0;
    bool resync = false;
    loop::Loop loop;
    auto monitor = Monitor::start(
        loop, {.on_address = [&](Change, const Address&) { ++events; }, .on_resync = [&] { resync = true; }});
    ASSERT_TRUE(monitor);
    for (int i = 0; i < 20'000; ++i) {  // more than the socket's buffer holds, before anyone reads
      ASSERT_TRUE(i % 2 == 0 ? add_address(socket, near, ip("10.9.0.100")).has_value()
                             : remove_address(socket, ours(near, "10.9.0.100", 32)).has_value());
    }
    EXPECT_TRUE(run_until(loop, [&] { return resync; }));
    resync = false;
    events = 0;
    ASSERT_TRUE(add_address(socket, near, ip("10.9.0.101")));
    EXPECT_TRUE(run_until(loop, [&] { return events > 0; })) << "and goes on afterwards";
  });
}

}  // namespace
}  // namespace netlink
