// SPDX-License-Identifier: Apache-2.0
// For tests against the real kernel: a network namespace of the test's own with a virtual cable, near (10.9.0.1/24) and
// far, on a thread with which it ends; and an event loop that runs until something holds.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <thread>

#include "loop/loop.hpp"

namespace test {

inline void sh(const char* command) {
  ASSERT_EQ(std::system(command), 0) << command;
}

inline void lay_cable() {
  sh("ip link add near type veth peer name far && ip link set near up && ip link set far up && "
     "ip addr add 10.9.0.1/24 dev near");
}

template <typename Body>
void in_own_network(Body body) {
  bool refused = false;
  std::thread([&] {
    refused = unshare(CLONE_NEWNET) != 0;
    if (refused) return;
    lay_cable();
    body();
  }).join();
  if (refused) GTEST_SKIP() << "needs the right to make a network namespace";
}

// The time limit only ends a test that fails.
template <typename Condition>
bool run_until(loop::Loop& loop, Condition condition) {
  bool late = false;
  loop::Timer limit(loop, [&] { late = true; });
  limit.start(std::chrono::seconds(5));
  loop::Timer look(loop, [&] {
    if (late || condition()) loop.stop();
  });
  look.start_every(std::chrono::milliseconds(1));
  loop.run();
  return condition();
}

}  // namespace test
