// SPDX-License-Identifier: Apache-2.0
// What the control plane makes of the health worker's reports.
#include "control/health_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class HealthStateTest : public testing::Test {
 protected:
  HealthStateTest() {
    server_.name = "rest";
    server_.key = {.address = *base::Ipv4::parse("192.168.100.111"), .port = 9826};
    for (const char* address : {"192.168.100.34", "192.168.100.35"}) {
      server_.real_servers.push_back({.address = *base::Ipv4::parse(address), .port = 9826, .checks = {{}}});
    }
    configure();
  }

  bool configure() {
    const model::Config config{.virtual_servers = {server_}};
    const bool changed = state_.configure(config);
    assignment_ = state_.assignment(config);
    return changed;
  }
  model::Member member(size_t i) const { return {server_.key, model::key_of(server_.real_servers.at(i))}; }
  bool report(uint64_t id, bool up, bool unknown = false) {
    return state_.report({.id = id, .up = up, .unknown = unknown, .outcome = "so it is"});
  }

  model::VirtualServer server_;
  HealthState state_;
  ipc::ConfigureHealth assignment_;
};

}  // namespace

TEST_F(HealthStateTest, OnlyAChangeIsNews) {
  const uint64_t id = assignment_.targets.at(1).id;
  EXPECT_FALSE(report(id, true));
  EXPECT_TRUE(report(id, false));
  EXPECT_FALSE(report(id, false));
  EXPECT_THAT(state_.down(), UnorderedElementsAre(member(1)));
  EXPECT_TRUE(report(id, true));
  EXPECT_THAT(state_.down(), IsEmpty());
}

TEST_F(HealthStateTest, UnknownChangesNothingButIsShown) {
  const uint64_t id = assignment_.targets.at(0).id;
  report(id, false);
  EXPECT_FALSE(report(id, true, true));
  EXPECT_THAT(state_.down(), UnorderedElementsAre(member(0)));
  EXPECT_TRUE(state_.reports().at(member(0)).unknown);
}

TEST_F(HealthStateTest, ANewWorkerIsToldWhatTheOldOneFound) {
  report(assignment_.targets.at(0).id, false);
  configure();
  EXPECT_FALSE(assignment_.targets.at(0).up);
  EXPECT_TRUE(assignment_.targets.at(1).up);
}

TEST_F(HealthStateTest, OneThatIsNotCheckedAnyMoreCountsAsUp) {
  report(assignment_.targets.at(0).id, false);
  server_.real_servers[0].checks.clear();
  EXPECT_TRUE(configure());
  EXPECT_THAT(state_.down(), IsEmpty());
  EXPECT_THAT(state_.reports(), IsEmpty());
}

TEST_F(HealthStateTest, AReportThatComesAfterItsSubjectHasGoneIsNotRemembered) {
  const uint64_t id = assignment_.targets.at(1).id;
  server_.real_servers.pop_back();
  configure();
  EXPECT_FALSE(report(id, false));
  EXPECT_THAT(state_.down(), IsEmpty()) << "it would count as down when it is configured again";
}

}  // namespace control
