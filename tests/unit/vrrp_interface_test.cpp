// SPDX-License-Identifier: Apache-2.0
// The sockets against the real kernel: two ends of a virtual cable in a network namespace of the test's own.
#include "vrrp/interfaces.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

#include "netlink/neighbours.hpp"
#include "own_network.hpp"
#include "vrrp/packet.hpp"
#include "vrrp_support.hpp"

namespace vrrp {
namespace {

using Packet = std::vector<uint8_t>;

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}

using test::sh;

model::VrrpInstance instance() {
  return {.virtual_router_id = 100, .auth_pass = "xxxx", .virtual_addresses = {ip("10.9.0.100")}};
}

// From an address that is not this host's: else the kernel would not take it back in.
Datagram advertisement() {
  static const Packet message = encode(instance(), 100, ip("10.9.0.7"), kGroup);
  return {.source = ip("10.9.0.7"), .destination = kGroup, .hop_limit = kHopLimit, .message = message};
}

// What was received, which outlives the packet.
struct Received {
  explicit Received(const Datagram& d)
      : source(d.source),
        destination(d.destination),
        hop_limit(d.hop_limit),
        message(d.message.begin(), d.message.end()) {}
  base::Ip source, destination;
  uint8_t hop_limit;
  Packet message;
};

// Two interfaces as the worker has them, and what each has received.
struct Cable {
  loop::Loop loop;
  netlink::Socket netlink = *netlink::Socket::open();
  std::vector<Received> at_near, at_far;
  Interfaces interfaces{loop, netlink};
  Interface &near = interfaces.at("near"), &far = interfaces.at("far");

  Cable() {
    near.listen(AF_INET, [this](const Datagram& d) { at_near.emplace_back(d); });
    far.listen(AF_INET, [this](const Datagram& d) { at_far.emplace_back(d); });
  }

  void refresh(const std::vector<base::Ip>& virtual_addresses = {}) {
    interfaces.refresh(*netlink::links(netlink), *netlink::addresses(netlink), virtual_addresses);
  }

  template <typename Condition>
  bool happens(Condition condition) {
    return test::run_until(loop, condition);
  }
  bool far_receives() {
    return happens([this] { return !at_far.empty(); });
  }
};

void take_in_any_source() {
  sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.far.rp_filter=0");
}

template <typename Body>
void with_cable(Body body) {
  test::in_own_network([&] {
    take_in_any_source();
    Cable cable;
    cable.refresh();
    body(cable);
  });
}

TEST(VrrpInterface, AnAdvertisementArrivesByteForByteAndNotAtItsSender) {
  with_cable([](Cable& cable) {
    ASSERT_EQ(cable.near.problem(), "");
    const Datagram sent = advertisement();
    ASSERT_TRUE(cable.near.send(sent));
    ASSERT_TRUE(cable.far_receives());
    const Received& received = cable.at_far.at(0);
    EXPECT_EQ(received.source, sent.source);
    EXPECT_EQ(received.destination, sent.destination);
    EXPECT_EQ(received.hop_limit, sent.hop_limit);
    EXPECT_EQ(received.message, Packet(sent.message.begin(), sent.message.end()));
    cable.near.read_waiting();
    EXPECT_TRUE(cable.at_near.empty());
  });
}

TEST(VrrpInterface, SaysWhyItCannotBeUsed) {
  with_cable([](Cable& cable) {
    sh("ip link set far down");
    cable.refresh();
    EXPECT_EQ(cable.near.problem(), "near has no carrier");
    EXPECT_EQ(cable.far.problem(), "far is down");
    sh("ip link del near");
    cable.refresh();
    EXPECT_EQ(cable.near.problem(), "near does not exist");
    EXPECT_EQ(cable.near.send(advertisement()).error().message, "cannot send an advertisement: near does not exist");
    EXPECT_EQ(*cable.near.remove(ip("10.9.0.100")), netlink::Removed::before);
  });
}

TEST(VrrpInterface, AnInterfaceMadeAnewIsJoinedAnew) {
  with_cable([](Cable& cable) {
    sh("ip link del near");
    test::lay_cable();
    take_in_any_source();
    cable.refresh();
    EXPECT_EQ(cable.near.problem(), "");
    ASSERT_TRUE(cable.near.send(advertisement()));
    EXPECT_TRUE(cable.far_receives());
  });
}

TEST(VrrpInterface, APacketThatItsQueueDroppedIsAnError) {
  with_cable([](Cable& cable) {
    if (std::system("tc qdisc add dev near root bfifo limit 1 2>/dev/null") != 0) GTEST_SKIP() << "no traffic control";
    const auto sent = cable.near.send(advertisement());
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().message, "cannot send an advertisement: No buffer space available");
  });
}

// --- IPv6, and unicast in both families

const base::Ip kPeer6 = *base::Ip::parse("fe80::7");

Datagram advertisement_to(const base::Ip& destination, const base::Ip& source, uint8_t hop_limit = kHopLimit) {
  static Packet message;
  model::VrrpInstance config = instance();
  config.version = 3;
  if (destination.is_v6()) config.virtual_addresses = {*base::Ip::parse("fe80::100")};
  message = encode(config, 100, source, destination);
  return {.source = source, .destination = destination, .hop_limit = hop_limit, .message = message};
}

template <typename Body>
void with_ipv6_cable(Body body) {
  with_cable([&](Cable& cable) {
    sh("ip addr add fe80::1/64 dev near nodad && ip addr add fe80::2/64 dev far nodad");
    cable.near.listen(AF_INET6, [&cable](const Datagram& d) { cable.at_near.emplace_back(d); });
    cable.far.listen(AF_INET6, [&cable](const Datagram& d) { cable.at_far.emplace_back(d); });
    cable.refresh();
    EXPECT_EQ(cable.near.problem(AF_INET6), "");
    body(cable);
  });
}

TEST(VrrpInterface, SendsAndReceivesOverIpv6FromWhicheverSource) {
  with_ipv6_cable([](Cable& cable) {
    const Datagram sent = advertisement_to(kGroup6, kPeer6);
    ASSERT_TRUE(cable.near.send(sent));
    ASSERT_TRUE(cable.far_receives());
    EXPECT_EQ(cable.at_far.front().source, kPeer6) << "which near does not have";
    EXPECT_EQ(cable.at_far.front().destination, kGroup6);
    EXPECT_EQ(cable.at_far.front().hop_limit, 255);
    EXPECT_EQ(cable.at_far.front().message, Packet(sent.message.begin(), sent.message.end()));
    EXPECT_TRUE(cable.at_near.empty()) << "our own";
  });
}

TEST(VrrpInterface, TheFamiliesDoNotMix) {
  with_ipv6_cable([](Cable& cable) {
    ASSERT_TRUE(cable.near.send(advertisement()));
    ASSERT_TRUE(cable.near.send(advertisement_to(kGroup6, kPeer6)));
    ASSERT_TRUE(cable.happens([&] { return cable.at_far.size() >= 2; }));
    EXPECT_EQ(cable.at_far.size(), 2u);
    EXPECT_NE(cable.at_far[0].source.is_v6(), cable.at_far[1].source.is_v6());
  });
}

TEST(VrrpInterface, SendsAndReceivesUnicast) {
  with_ipv6_cable([](Cable& cable) {
    // Both ends are this host's: without the rules what near sends to far's IPv4 address would not leave it.
    sh("ip link set far address 02:00:00:00:00:07 && ip addr add 10.9.0.2/32 dev far && "
       "ip rule add pref 1 iif far lookup local && ip rule del pref 0 && "
       "ip neigh replace 10.9.0.2 dev near lladdr 02:00:00:00:00:07 && "
       "ip neigh replace fe80::2 dev near lladdr 02:00:00:00:00:07");
    for (const char* destination : {"10.9.0.2", "fe80::2"}) {
      cable.at_far.clear();
      const base::Ip to = *base::Ip::parse(destination);
      ASSERT_TRUE(cable.near.send(advertisement_to(to, to.is_v6() ? kPeer6 : ip("10.9.0.7"), 64)));
      ASSERT_TRUE(cable.far_receives()) << destination;
      EXPECT_EQ(cable.at_far.front().destination, to);
      EXPECT_EQ(cable.at_far.front().hop_limit, 64);
    }
  });
}

TEST(VrrpInterface, AnIpv6PacketThatItsQueueDroppedIsAnError) {
  with_ipv6_cable([](Cable& cable) {
    if (std::system("tc qdisc add dev near root bfifo limit 1 2>/dev/null") != 0) GTEST_SKIP() << "no traffic control";
    const auto sent = cable.near.send(advertisement_to(kGroup6, kPeer6));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().message, "cannot send an advertisement: No buffer space available");
  });
}

TEST(VrrpInterface, WithoutIpv6OnTheInterfaceIpv4GoesOn) {
  with_cable([](Cable& cable) {
    sh("ip link set near mtu 1200");  // too little for IPv6: the kernel takes it off
    cable.near.listen(AF_INET6, [](const Datagram&) {});
    cable.refresh();
    EXPECT_EQ(cable.near.problem(AF_INET6), "IPv6 is switched off on near");
    EXPECT_EQ(cable.near.problem(AF_INET), "");
    ASSERT_TRUE(cable.near.send(advertisement()));
    EXPECT_TRUE(cable.far_receives());
    EXPECT_FALSE(cable.near.send(advertisement_to(kGroup6, kPeer6)));
    sh("ip link set near mtu 1500");
    cable.refresh();
    EXPECT_EQ(cable.near.problem(AF_INET6), "") << "it is tried again";
  });
}

TEST(VrrpInterface, KnowsItsOwnAddressFromVirtualOnes) {
  with_cable([](Cable& cable) {
    sh("ip addr add fe80::1/64 dev near nodad");
    EXPECT_EQ(*cable.near.add(ip("10.9.0.100")), netlink::Added::now);
    for (bool read : {false, true}) {
      if (read) cable.refresh({ip("10.9.0.100")});
      EXPECT_TRUE(cable.near.has(ip("10.9.0.100"), 32)) << read;
      EXPECT_FALSE(cable.near.has(ip("10.9.0.1"), 32)) << "that is a /24";
      EXPECT_EQ(cable.near.primary_address(AF_INET), ip("10.9.0.1"));
    }
    EXPECT_EQ(cable.near.primary_address(AF_INET6), *base::Ip::parse("fe80::1"));
    sh("ip addr del 10.9.0.1/24 dev near");
    cable.refresh({ip("10.9.0.100")});
    EXPECT_EQ(cable.near.primary_address(AF_INET), std::nullopt);
  });
}

TEST(VrrpInterface, PutsAnAddressWhereItBelongsAndTakesItOffAgain) {
  with_cable([](Cable& cable) {
    model::VirtualAddress address(ip("10.9.0.100"));
    address.prefix_length = 24;
    EXPECT_EQ(*cable.interfaces.add("far", address), netlink::Added::now);
    EXPECT_TRUE(cable.far.has(ip("10.9.0.100"), 24));
    EXPECT_FALSE(cable.far.has(ip("10.9.0.100"), 32));
    EXPECT_FALSE(cable.near.has(ip("10.9.0.100"), 24));
    EXPECT_TRUE(cable.interfaces.announce("far", address, 1, {}));
    sh("ip addr add 10.9.0.100/16 dev far");
    cable.refresh();
    EXPECT_EQ(*cable.interfaces.remove("far", address), netlink::Removed::now);
    EXPECT_EQ(*cable.interfaces.remove("far", address), netlink::Removed::before);
    cable.refresh();
    EXPECT_TRUE(cable.far.has(ip("10.9.0.100"), 16)) << "not ours, so it stays";
  });
}

// An instance on near with one address on each end of the cable.
model::VrrpInstance on_both_ends() {
  model::VirtualAddress there(ip("10.9.0.101"));
  there.device = "far";
  return {.interface = "near", .virtual_addresses = {ip("10.9.0.100"), there}};
}

TEST(VrrpInterface, AnAddressThatSomebodyElsePutThereIsAProblemAndStays) {
  with_cable([](Cable& cable) {
    model::VrrpInstance config = on_both_ends();
    EXPECT_EQ(cable.interfaces.problem_of(config), "");
    sh("ip addr add 10.9.0.101/24 dev far");
    cable.refresh();
    EXPECT_EQ(cable.interfaces.problem_of(config),
              "10.9.0.101 is on far already, as /24, and not by xdirector: take it off (ip address del 10.9.0.101/24 "
              "dev far), or out of virtual_ipaddress; where it is far's own address, give priority 255");
    EXPECT_EQ(*cable.interfaces.add("far", config.virtual_addresses[1]), netlink::Added::before);
    EXPECT_EQ(*cable.interfaces.remove("far", config.virtual_addresses[1]), netlink::Removed::before);
    cable.refresh();
    EXPECT_TRUE(cable.far.has(ip("10.9.0.101"), 24));
    EXPECT_FALSE(cable.far.has(ip("10.9.0.101"), 32));
  });
}

TEST(VrrpInterface, WhatAnEarlierProcessPutThereIsOurs) {
  with_cable([](Cable& cable) {
    const int near = (*netlink::find_link(cable.netlink, "near"))->index;
    ASSERT_TRUE(netlink::add_address(cable.netlink, near, ip("10.9.0.100")));
    cable.refresh();
    EXPECT_EQ(cable.interfaces.problem_of(on_both_ends()), "");
    EXPECT_EQ(*cable.interfaces.remove("near", ip("10.9.0.100")), netlink::Removed::now);
  });
}

TEST(VrrpInterface, AnOwnersAddressesAreThereAlready) {
  with_cable([](Cable& cable) {
    model::VrrpInstance config = on_both_ends();
    config.priority = 255;
    config.virtual_addresses = {ip("10.9.0.1")};
    cable.refresh();
    EXPECT_EQ(cable.interfaces.problem_of(config), "");
    EXPECT_TRUE(cable.interfaces.has_all_addresses_of(config)) << "with whatever prefix";
    EXPECT_EQ(*cable.interfaces.add("near", config.virtual_addresses[0]), netlink::Added::before);
    EXPECT_EQ(*cable.interfaces.remove("near", config.virtual_addresses[0]), netlink::Removed::before);
    cable.refresh();
    EXPECT_TRUE(cable.near.has(ip("10.9.0.1"), 24)) << "neither added nor taken off";
    EXPECT_FALSE(cable.near.has(ip("10.9.0.1"), 32));
  });
}

TEST(VrrpInterface, KnowsWhenAnAddressOfAnInstanceIsMissing) {
  with_cable([](Cable& cable) {
    const model::VrrpInstance config = on_both_ends();
    ASSERT_TRUE(cable.interfaces.add("near", config.virtual_addresses[0]));
    EXPECT_FALSE(cable.interfaces.has_all_addresses_of(config));
    ASSERT_TRUE(cable.interfaces.add("far", config.virtual_addresses[1]));
    EXPECT_TRUE(cable.interfaces.has_all_addresses_of(config));
    sh("ip addr del 10.9.0.101/32 dev far");
    cable.refresh();
    EXPECT_FALSE(cable.interfaces.has_all_addresses_of(config));
  });
}

TEST(VrrpInterface, AnInterfaceThatOnlyHasAddressesDoesNotListen) {
  with_cable([](Cable& cable) {
    Interfaces places(cable.loop, cable.netlink);
    Interface& near = places.at("near");
    auto refresh = [&] { places.refresh(*netlink::links(cable.netlink), *netlink::addresses(cable.netlink), {}); };
    refresh();
    EXPECT_TRUE(near.announce(ip("10.9.0.100"), 1, {}));
    EXPECT_FALSE(near.send(advertisement()));
    near.listen(AF_INET, [](const Datagram&) {});
    refresh();
    EXPECT_TRUE(near.send(advertisement()));
  });
}

TEST(VrrpInterface, AnAnnouncementTeachesANeighbourTheAddress) {
  with_cable([](Cable& cable) {
    sh("sysctl -qw net.ipv4.conf.far.arp_accept=1 && ip addr add 10.9.0.2/24 dev far && ip addr flush dev near");
    ASSERT_TRUE(cable.near.announce(ip("10.9.0.100"), 5, {}));
    const auto link = *netlink::find_link(cable.netlink, "near");
    EXPECT_TRUE(cable.happens([&] {
      const auto known = *netlink::neighbours(cable.netlink);
      return std::ranges::any_of(known, [&](auto& n) { return n.ip == ip("10.9.0.100") && n.mac == link->mac; });
    }));
  });
}

}  // namespace
}  // namespace vrrp
