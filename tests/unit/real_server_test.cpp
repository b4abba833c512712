// SPDX-License-Identifier: Apache-2.0
// What real-server add, remove and show do, on a host made of values and a state file in a temporary folder.
#include "real_server/real_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace real_server {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const base::Ip kVip = *base::Ip::parse("192.168.100.111");
const base::Ip kVip6 = *base::Ip::parse("2001:db8::111");
const base::Ip kOther = *base::Ip::parse("192.168.100.112");

Network fresh_network() {
  return {.loopback_up = true,
          .addresses = {{"lo", *base::Ip::parse("127.0.0.1"), 8}, {"eth0", *base::Ip::parse("192.168.100.34"), 24}},
          .loopback_routes = {},
          .arp = {{"all", {}}, {"lo", {}}, {"eth0", {}}}};
}

// Has state, and can be told to refuse one of the changes.
class FakeHost : public Host {
 public:
  base::Result<Network> network() override { return network_; }
  base::Result<> make(const Change& change) override {
    if (++made_ == refuse_) return base::fail("refused");
    if (const auto* address = std::get_if<AddressChange>(&change)) {
      toggle(network_.addresses, InterfaceAddress{"lo", address->vip, address->vip.bits()}, address->present);
    } else if (const auto* route = std::get_if<RouteChange>(&change)) {
      toggle(network_.loopback_routes, route->vip, route->present);
    } else {
      const auto& sysctl = std::get<SysctlChange>(change);
      (sysctl.key == "arp_ignore" ? network_.arp[sysctl.interface].ignore : network_.arp[sysctl.interface].announce) =
          sysctl.to;
    }
    return {};
  }
  void refuse(int nth) { made_ = 0, refuse_ = nth; }

  Network network_ = fresh_network();

 private:
  template <typename T>
  static void toggle(std::vector<T>& all, const T& one, bool present) {
    std::erase(all, one);
    if (present) all.push_back(one);
  }
  int made_ = 0, refuse_ = 0;
};

class RealServer : public testing::Test {
 protected:
  RealServer() : folder_(testing::TempDir() + "xdirector-" + std::to_string(::getpid())) {}
  ~RealServer() override { std::filesystem::remove_all(folder_); }

  StateFile state() {
    auto opened = StateFile::open(folder_);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  bool all_well(const base::Ip& vip) const {
    const auto found = examine_vip(host_.network_, vip), settings = examine_settings(host_.network_);
    return std::ranges::all_of(found, &Finding::ok) && std::ranges::all_of(settings, &Finding::ok);
  }

  const std::string folder_;
  FakeHost host_;
};

}  // namespace

TEST_F(RealServer, AddMakesEverythingAsShowWantsIt) {
  EXPECT_FALSE(all_well(kVip));
  ASSERT_TRUE(add(host_, state(), {kVip}));
  EXPECT_TRUE(all_well(kVip));
  EXPECT_EQ(host_.network_.arp["all"], (ArpSettings{.ignore = 1, .announce = 2}));
  EXPECT_EQ(host_.network_.arp["lo"], (ArpSettings{.ignore = 1, .announce = 2}));
  EXPECT_EQ(host_.network_.arp["eth0"], ArpSettings{}) << "\"all\" covers it";
}

TEST_F(RealServer, ArpIsSilencedBeforeTheAddressIsThereAndUntilItIsGone) {
  const auto there = plan_add(host_.network_, {}, {kVip});
  ASSERT_TRUE(there);
  EXPECT_TRUE(std::holds_alternative<SysctlChange>(there->changes.front()));
  ASSERT_TRUE(add(host_, state(), {kVip}));
  const Plan back = plan_remove(host_.network_, there->saved, {kVip});
  EXPECT_TRUE(std::holds_alternative<SysctlChange>(back.changes.back()));
}

TEST_F(RealServer, RemoveRestoresWhatWasThereBefore) {
  host_.network_.arp["all"].announce = 1;
  const Network before = host_.network_;
  ASSERT_TRUE(add(host_, state(), {kVip, kOther}));
  ASSERT_TRUE(remove(host_, state(), {kVip, kOther}));
  EXPECT_EQ(host_.network_, before);
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "no state is left behind";
}

TEST_F(RealServer, TheSettingsGoBackWithTheLastVipOnly) {
  const Network before = host_.network_;
  ASSERT_TRUE(add(host_, state(), {kVip}));
  ASSERT_TRUE(add(host_, state(), {kOther}));
  ASSERT_TRUE(remove(host_, state(), {kVip}));
  EXPECT_TRUE(all_well(kOther));
  ASSERT_TRUE(remove(host_, state(), {kOther}));
  EXPECT_EQ(host_.network_, before);
}

TEST_F(RealServer, WhatWasThereBeforeIsLeftAlone) {
  host_.network_.addresses.push_back({"lo", kVip, 32});
  host_.network_.loopback_routes.push_back(kVip.v4());
  host_.network_.arp["all"] = {.ignore = 1, .announce = 2};
  host_.network_.arp["lo"] = {.ignore = 2, .announce = 2};  // 2 will do as well
  const Network before = host_.network_;
  EXPECT_THAT(*add(host_, state(), {kVip}), ElementsAre("nothing to do"));
  EXPECT_THAT(*remove(host_, state(), {kVip}), ElementsAre(HasSubstr("was there before")));
  EXPECT_EQ(host_.network_, before);
}

TEST_F(RealServer, AddAndRemoveTwiceIsLikeOnce) {
  const Network before = host_.network_;
  ASSERT_TRUE(add(host_, state(), {kVip}));
  EXPECT_THAT(*add(host_, state(), {kVip}), ElementsAre("nothing to do"));
  ASSERT_TRUE(remove(host_, state(), {kVip}));
  EXPECT_EQ(host_.network_, before);
  EXPECT_THAT(*remove(host_, state(), {kVip}), ElementsAre(HasSubstr("has not added it")));
  EXPECT_EQ(host_.network_, before);
}

TEST_F(RealServer, AddMendsWhatSomeoneElseHasUndone) {
  host_.network_.arp["all"].announce = 1;
  const Network before = host_.network_;
  ASSERT_TRUE(add(host_, state(), {kVip}));
  host_.network_.arp["all"].announce = 0;
  std::erase(host_.network_.addresses, InterfaceAddress{"lo", kVip, 32});
  ASSERT_TRUE(add(host_, state(), {kVip}));
  EXPECT_TRUE(all_well(kVip));
  ASSERT_TRUE(remove(host_, state(), {kVip}));
  EXPECT_EQ(host_.network_.arp, before.arp) << "the values from before the first add, not those in between";
}

TEST_F(RealServer, ASettingThatSomeoneElseHasChangedMeanwhileIsLeftAndNamed) {
  ASSERT_TRUE(add(host_, state(), {kVip}));
  host_.network_.arp["all"].ignore = 8;
  EXPECT_THAT(*remove(host_, state(), {kVip}), Contains(HasSubstr("net.ipv4.conf.all.arp_ignore = 8 is left")));
  EXPECT_EQ(host_.network_.arp["all"].ignore, 8);
  EXPECT_EQ(host_.network_.arp["all"].announce, 0);
}

TEST_F(RealServer, AFailureAnywhereLeavesEverythingAsItWas) {
  const Network before = host_.network_;
  const auto changes = plan_add(before, {}, {kVip, kOther})->changes.size();
  ASSERT_EQ(changes, 8u);
  for (size_t nth = 1; nth <= changes; ++nth) {
    host_.refuse(static_cast<int>(nth));
    const auto added = add(host_, state(), {kVip, kOther});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().message, "refused");
    EXPECT_EQ(host_.network_, before) << "after change " << nth << " was refused";
    EXPECT_EQ(*state().read(), Saved{});
  }
  host_.refuse(0);
  ASSERT_TRUE(add(host_, state(), {kVip, kOther}));
  const Network after = host_.network_;
  const Saved saved = *state().read();
  for (size_t nth = 1; nth <= changes; ++nth) {
    host_.refuse(static_cast<int>(nth));
    ASSERT_FALSE(remove(host_, state(), {kVip, kOther}));
    std::ranges::sort(host_.network_.addresses, {}, &InterfaceAddress::ip);
    Network expected = after;
    std::ranges::sort(expected.addresses, {}, &InterfaceAddress::ip);
    std::ranges::sort(expected.loopback_routes);
    std::ranges::sort(host_.network_.loopback_routes);
    EXPECT_EQ(host_.network_, expected) << "after change " << nth << " was refused";
    EXPECT_EQ(*state().read(), saved);
  }
}

TEST_F(RealServer, OneUnfitVipStopsAllBeforeAnythingIsTouched) {
  const Network before = host_.network_;
  host_.refuse(1);  // any change would fail otherwise
  for (const char* unfit : {"0.0.0.0", "127.0.0.1", "224.0.0.18", "255.255.255.255", "::1", "fe80::1", "ff02::1"}) {
    const auto added = add(host_, state(), {kVip, *base::Ip::parse(unfit)});
    ASSERT_FALSE(added);
    EXPECT_THAT(added.error().message, HasSubstr(std::string(unfit) + " cannot be a VIP here")) << unfit;
  }
  EXPECT_EQ(host_.network_, before);
}

TEST_F(RealServer, AVipThatAnInterfaceAnswersArpForIsRefusedAndShown) {
  host_.network_.addresses.push_back({"eth0", kVip, 24});
  const auto added = add(host_, state(), {kVip});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("ip address del 192.168.100.111/24 dev eth0"));
  EXPECT_THAT(examine_vip(host_.network_, kVip), Contains(testing::Field(&Finding::what, HasSubstr("nowhere else"))));
}

TEST_F(RealServer, AnIpv6VipNeedsItsAddressOnly) {
  const Network before = host_.network_;
  EXPECT_THAT(*add(host_, state(), {kVip6}), ElementsAre("2001:db8::111/128 added to lo"));
  EXPECT_THAT(examine_vip(host_.network_, kVip6), ElementsAre(Finding{"2001:db8::111/128 on lo", true, ""}));
  EXPECT_THAT(*add(host_, state(), {kVip6}), ElementsAre("nothing to do"));
  ASSERT_TRUE(remove(host_, state(), {kVip6}));
  EXPECT_EQ(host_.network_, before);
}

TEST_F(RealServer, TheSettingsGoBackWithTheLastIpv4Vip) {
  ASSERT_TRUE(add(host_, state(), {kVip, kVip6}));
  ASSERT_TRUE(remove(host_, state(), {kVip}));
  EXPECT_EQ(host_.network_.arp, fresh_network().arp);
  EXPECT_TRUE(std::ranges::all_of(examine_vip(host_.network_, kVip6), &Finding::ok))
      << "which the other has no use for";
}

TEST_F(RealServer, AnIpv6VipThatAnInterfaceAnswersForIsRefused) {
  host_.network_.addresses.push_back({"eth0", kVip6, 64});
  const auto added = add(host_, state(), {kVip6});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message,
              HasSubstr("answers neighbour solicitations for it; ip address del 2001:db8::111/64"));
}

TEST_F(RealServer, AWholeNetworkOnLoIsRefused) {
  host_.network_.addresses.push_back({"lo", kVip, 24});
  const auto added = add(host_, state(), {kVip});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("takes in that whole network"));
}

TEST_F(RealServer, ALoopbackThatIsDownIsRefused) {
  host_.network_.loopback_up = false;
  const auto added = add(host_, state(), {kVip});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("ip link set lo up"));
}

TEST_F(RealServer, ShowJudgesTheEffectiveSettingOfEveryInterface) {
  ASSERT_TRUE(add(host_, state(), {kVip}));
  host_.network_.arp["eth0"].ignore = 3;  // the higher one wins, and 3 answers for addresses on lo
  const auto found = examine_settings(host_.network_);
  EXPECT_THAT(found,
              Contains(Finding{"effective arp_ignore = 3 on eth0", false, "sysctl net.ipv4.conf.eth0.arp_ignore=1"}));
  EXPECT_EQ(std::ranges::count(found, false, &Finding::ok), 1);
}

TEST_F(RealServer, TheStateIsReadBackAsWritten) {
  Saved saved;
  saved.vips[kVip] = {.address_added = true, .route_added = false};
  saved.vips[kVip6] = {.address_added = false, .route_added = false};
  saved.sysctls[{"all", "arp_ignore"}] = 0;
  saved.sysctls[{"eth0.100", "arp_announce"}] = 1;
  EXPECT_EQ(*decode(encode(saved)), saved);
  ASSERT_TRUE(state().write(saved));
  EXPECT_EQ(*state().read(), saved);
}

TEST_F(RealServer, ABrokenStateIsAnErrorNotAGuess) {
  for (const char* broken : {"", "{", "[]", "{}", R"({"vips":{}})",
                             R"({"vips":{"x":{"address_added":true,"route_added":true}},"sysctls":{}})",
                             R"({"vips":{"10.0.0.1":{"address_added":1,"route_added":true}},"sysctls":{}})",
                             R"({"vips":{},"sysctls":{"kernel.panic":1}})",
                             R"({"vips":{},"sysctls":{"net.ipv4.conf.all.arp_ignore":"1"}})"}) {
    EXPECT_FALSE(decode(broken)) << broken;
  }
}

TEST_F(RealServer, TheStateIsForItsOwnerOnlyAndNoLinkIsFollowed) {
  Saved saved;
  saved.vips[kVip] = {};
  ASSERT_TRUE(state().write(saved));
  const auto file = std::filesystem::directory_iterator(folder_)->path();
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));

  std::filesystem::rename(file, folder_ + "/elsewhere");
  std::filesystem::create_symlink(folder_ + "/elsewhere", file);
  EXPECT_FALSE(state().read());
  ASSERT_TRUE(state().write(saved));  // replaces the link, does not write through it
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(file)));

  std::filesystem::permissions(folder_, std::filesystem::perms(0777));
  EXPECT_FALSE(StateFile::open(folder_));
}

}  // namespace real_server
