// SPDX-License-Identifier: Apache-2.0
// Announcements: their frames, bursts with pauses, and hearing those of another host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "netlink/links.hpp"
#include "own_network.hpp"
#include "vrrp/announce.hpp"
#include "vrrp/announcement_queue.hpp"
#include "vrrp/announcement_watch.hpp"

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

std::vector<uint8_t> bytes(std::string_view hex) {
  std::vector<uint8_t> out;
  std::string digits;
  std::ranges::copy_if(hex, std::back_inserter(digits), [](char c) { return c != ' '; });
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

const base::Mac kMac = *base::Mac::parse("02:00:00:00:02:01");
const base::Ip kV4 = ip("10.99.0.100"), kV6 = ip("2001:db8::100");

TEST(Announcement, GratuitousArpIsTheFrameThatKeepalivedSends) {
  EXPECT_THAT(gratuitous_arp(kMac, kV4.v4()),
              testing::ElementsAreArray(bytes("ffffffffffff 020000000201 0806 0001080006040001 020000000201 0a630064 "
                                              "ffffffffffff 0a630064")));
}

TEST(Announcement, TheNeighbourAdvertisementIsTheFrameThatKeepalivedSends) {
  EXPECT_THAT(
      unsolicited_neighbour_advertisement(kMac, kV6, false),
      testing::ElementsAreArray(bytes(
          "333300000001 020000000201 86dd 6000000000203aff 20010db8000000000000000000000100 "
          "ff020000000000000000000000000001 8800f52c20000000 20010db8000000000000000000000100 0201 020000000201")));
}

TEST(Announcement, ARouterSaysSo) {
  const NeighbourFrame host = unsolicited_neighbour_advertisement(kMac, kV6, false);
  NeighbourFrame router = unsolicited_neighbour_advertisement(kMac, kV6, true);
  EXPECT_EQ(router[58], 0xa0) << "R and O";
  EXPECT_NE(router[56], host[56]) << "and the checksum is another one";
}

// --- bursts

struct Burst {
  loop::Loop loop;
  std::vector<std::string> sent;
  bool fail = false;
  AnnouncementQueue queue{loop, [this](const base::Ip& ip) -> base::Result<> {
                            if (fail) return base::fail("it fails");
                            sent.push_back(ip.str());
                            return {};
                          }};
};

TEST(AnnouncementQueueTest, WithoutAGapTheyGoAtOnce) {
  Burst b;
  ASSERT_TRUE(b.queue.add(kV4, 3, {}));
  EXPECT_THAT(b.sent, ElementsAre("10.99.0.100", "10.99.0.100", "10.99.0.100"));
}

TEST(AnnouncementQueueTest, WithAGapTheFirstGoesAtOnceAndTheAddressesTakeTurns) {
  Burst b;
  const base::Time start = base::now();
  ASSERT_TRUE(b.queue.add(kV4, 3, 5ms));
  ASSERT_TRUE(b.queue.add(kV6, 2, 5ms));
  EXPECT_THAT(b.sent, ElementsAre("10.99.0.100"));
  ASSERT_TRUE(test::run_until(b.loop, [&] { return b.sent.size() == 5; }));
  EXPECT_GE(base::now() - start, 4 * 5ms);
  EXPECT_THAT(b.sent, ElementsAre("10.99.0.100", "10.99.0.100", "2001:db8::100", "10.99.0.100", "2001:db8::100"));
}

TEST(AnnouncementQueueTest, ABurstOfNoneEndsTheOneBefore) {
  Burst b;
  ASSERT_TRUE(b.queue.add(kV4, 3, 1ms));
  ASSERT_TRUE(b.queue.add(kV6, 3, 1ms));
  ASSERT_TRUE(b.queue.add(kV4, 0, 1ms));
  ASSERT_TRUE(test::run_until(b.loop, [&] { return b.sent.size() == 4; }));
  EXPECT_THAT(b.sent, ElementsAre("10.99.0.100", "2001:db8::100", "2001:db8::100", "2001:db8::100"));
}

TEST(AnnouncementQueueTest, TellsWhatFails) {
  Burst b;
  b.fail = true;
  EXPECT_FALSE(b.queue.add(kV4, 3, {}));
  EXPECT_FALSE(b.queue.add(kV4, 3, 1s));
}

// --- hearing others

TEST(AnnouncementWatchTest, KnowsWhatAFrameAnnounces) {
  EXPECT_EQ(announced_in(gratuitous_arp(kMac, kV4.v4())), kV4);
  EXPECT_EQ(announced_in(unsolicited_neighbour_advertisement(kMac, kV6, false)), kV6);
  ArpFrame arp = gratuitous_arp(kMac, kV4.v4());
  arp[21] = 2;
  EXPECT_EQ(announced_in(arp), kV4) << "a reply";
  arp[21] = 3;
  EXPECT_EQ(announced_in(arp), std::nullopt) << "RARP";
  NeighbourFrame solicitation = unsolicited_neighbour_advertisement(kMac, kV6, false);
  solicitation[54] = 135;
  EXPECT_EQ(announced_in(solicitation), std::nullopt);
}

TEST(AnnouncementWatchTest, EveryCutFrameIsReadWithoutHarm) {
  const ArpFrame arp = gratuitous_arp(kMac, kV4.v4());
  const NeighbourFrame na = unsolicited_neighbour_advertisement(kMac, kV6, false);
  for (size_t size = 0; size < arp.size(); ++size) EXPECT_EQ(announced_in(std::span(arp).first(size)), std::nullopt);
  for (size_t size = 0; size < 78; ++size) EXPECT_EQ(announced_in(std::span(na).first(size)), std::nullopt);
}

TEST(AnnouncementWatchTest, HearsAnotherHostAndNotItself) {
  test::in_own_network([] {
    loop::Loop loop;
    auto netlink = *netlink::Socket::open();
    const int near = (*netlink::find_link(netlink, "near"))->index, far = (*netlink::find_link(netlink, "far"))->index;
    std::vector<std::string> heard;
    auto watch =
        AnnouncementWatch::open(loop, near, {kV4, kV6}, [&](const base::Ip& ip) { heard.push_back(ip.str()); });
    ASSERT_TRUE(watch) << watch.error().message;
    const Announcer ours = *Announcer::open(near), theirs = *Announcer::open(far);
    ASSERT_TRUE(ours.announce(kMac, kV4, false));
    ASSERT_TRUE(theirs.announce(kMac, ip("10.99.0.101"), false)) << "an address that nobody asked for";
    ASSERT_TRUE(theirs.announce(kMac, kV6, false));
    ASSERT_TRUE(test::run_until(loop, [&] { return !heard.empty(); }));
    EXPECT_THAT(heard, ElementsAre("2001:db8::100"));
    heard.clear();
    ASSERT_TRUE(theirs.announce(kMac, kV4, false));
    ASSERT_TRUE(test::run_until(loop, [&] { return !heard.empty(); }));
    EXPECT_THAT(heard, ElementsAre("10.99.0.100"));
  });
}

TEST(AnnouncementWatchTest, MayBeClosedByItsCallback) {
  test::in_own_network([] {
    loop::Loop loop;
    auto netlink = *netlink::Socket::open();
    std::unique_ptr<AnnouncementWatch> watch;
    watch = *AnnouncementWatch::open(loop, (*netlink::find_link(netlink, "near"))->index, {kV4},
                                     [&](const base::Ip&) { watch.reset(); });
    const Announcer theirs = *Announcer::open((*netlink::find_link(netlink, "far"))->index);
    ASSERT_TRUE(theirs.announce(kMac, kV4, false));
    EXPECT_TRUE(test::run_until(loop, [&] { return !watch; }));
  });
}

}  // namespace
}  // namespace vrrp
