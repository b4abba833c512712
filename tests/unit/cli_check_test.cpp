// SPDX-License-Identifier: Apache-2.0
// What `xdirector check` prints, and its exit code.
#include "cli/check.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cli {
namespace {

class Check : public ::testing::Test {
 protected:
  // A file of its own for each test, in the working directory of none.
  std::string file(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  std::string said(const std::string& path, int exit_code) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(check(path), exit_code);
    return ::testing::internal::GetCapturedStdout();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string path_ =
      ::testing::TempDir() + "check_" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".json";
};

TEST_F(Check, SaysOkInOneLineWhereThereIsNothingToSay) {
  const std::string path = file(R"({ "interfaces": ["nosuch0"] })");
  EXPECT_EQ(said(path, 0), path + ": OK\n");
}

TEST_F(Check, ListsEveryErrorThenTheWarningsThenHowMany) {
  const std::string path = file(R"({ "interfaces": ["eth0"],
  "virtual_servers": [ { "address": "10.0.0.1", "port": 80, "lb_algo": "wrr", "lb_kind": "DR", "real_servers": [] } ],
  "router_id": 1,
  "port_marks": [ { "mark": 0, "address": "10.0.0.1", "ports": "1" } ] })");
  EXPECT_EQ(said(path, 1),
            path + ":3: router_id: found a number; expected a text of 1 to 63 characters\n" +  //
                path + ":4: port_marks[0].mark: 0 is not allowed; expected a whole number from 1 to 4294967295\n" +
                path +
                ":2: warning: virtual_servers[0].real_servers: there is no real server: every connection is dropped\n" +
                path + ": 2 errors, 1 warning\n");
}

TEST_F(Check, OfAMissingFileIsAnError) {
  EXPECT_EQ(said("/nonexistent", 1), "/nonexistent: cannot read: No such file or directory\n/nonexistent: 1 error\n");
}

TEST_F(Check, TellsOnceWhatEveryOperatorMustKnow) {
  const std::string path = XD_SOURCE_DIR "/examples/reference/director-1.json";
  const std::string output = said(path, 0);
  EXPECT_NE(output.find("\nnote: XDP runs before nftables"), std::string::npos) << output;
  EXPECT_TRUE(output.ends_with(path + ": OK, 1 warning\n")) << output;
}

}  // namespace
}  // namespace cli
