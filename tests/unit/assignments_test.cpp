// SPDX-License-Identifier: Apache-2.0
// What the vrrp worker is told, and whom the parent resigns for when the worker is not there to do it.
#include "control/assignments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr base::Time kBack{5000};

class MastersUntilTest : public testing::Test {
 protected:
  void instance(const char* name, std::vector<uint32_t> leases) {
    instances_.push_back({.instance = {.name = name}, .lease = std::move(leases)});
  }

  std::vector<std::string> names(base::Time back = kBack) const {
    std::vector<std::string> all;
    for (const auto& assignment : masters_until(back, instances_, [&](uint32_t i) { return until_.at(i); })) {
      all.push_back(assignment.instance.name);
    }
    return all;
  }

  std::vector<ipc::VrrpAssignment> instances_;
  std::map<uint32_t, base::Time> until_;
};

}  // namespace

TEST_F(MastersUntilTest, OneWhoseLeaseEndsBeforeTheWorkerIsBack) {
  instance("VI_1", {0});
  until_ = {{0, base::Time{4999}}};
  EXPECT_THAT(names(), ElementsAre("VI_1"));
}

TEST_F(MastersUntilTest, NotOneThatCanResumeInTime) {
  instance("VI_1", {0});
  until_ = {{0, kBack}};
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(MastersUntilTest, NeverABackup) {
  instance("VI_1", {0});
  instance("VI_2", {1});
  until_ = {{0, base::Time{1}}, {1, base::Time{}}};
  EXPECT_THAT(names(), ElementsAre("VI_1")) << "priority 0 from a BACKUP would start an election without need";
}

TEST_F(MastersUntilTest, OneWhoseLeaseIsPastStillHasItsAddresses) {
  instance("VI_1", {0, 1});
  until_ = {{0, base::Time{1}}, {1, base::Time{1}}};
  EXPECT_THAT(names(base::Time{2}), ElementsAre("VI_1"));
}

TEST(VrrpAssignment, SaysWhichAddressesAreServedHere) {
  const base::Ipv4 one = *base::Ipv4::parse("10.0.0.1"), two = *base::Ipv4::parse("10.0.0.2");
  const model::Config config{.vrrp_instances = {{.name = "VI_1", .virtual_addresses = {one, two}}}};
  model::Tables tables;
  tables.leases[one] = {.index = 7};
  tables.leases[two] = {.index = 8, .served_here = true};
  const ipc::ConfigureVrrp message = make_vrrp_assignment(config, tables);
  ASSERT_EQ(message.instances.size(), 1u);
  EXPECT_THAT(message.instances[0].lease, ElementsAre(7u, 8u));
  EXPECT_THAT(message.instances[0].served_here, ElementsAre(two));
}

}  // namespace control
