// SPDX-License-Identifier: Apache-2.0
// Tests that attach and pin: in a network and a mount namespace of their own, with an empty /sys/fs/bpf.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr) != 0) {
    std::perror("namespaces of their own (they need root)");
    return 1;
  }
  return RUN_ALL_TESTS();
}
