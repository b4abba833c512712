// SPDX-License-Identifier: Apache-2.0
// Whom the parent resigns for, when the vrrp worker is not there to do it.
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

}  // namespace control
