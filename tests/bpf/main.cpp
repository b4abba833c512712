// SPDX-License-Identifier: Apache-2.0
// Runs the tests. A run whose every test was skipped has shown nothing, so it fails.
#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  const auto& unit = *testing::UnitTest::GetInstance();
  if (unit.test_to_run_count() > 0 && unit.skipped_test_count() == unit.test_to_run_count()) {
    std::fprintf(stderr, "every test of the group bpf was skipped: run as root\n");
    return 1;
  }
  return failed;
}
