// SPDX-License-Identifier: Apache-2.0
// The filter at an interface's exit: it stays when the process ends, is replaced by the next one's, follows the
// interface, and leaves other people's filters alone.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "dataplane/dataplane.hpp"
#include "dataplane/egress.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint32_t kIndex = 79;
constexpr const char* kOurs = "handle 0x7864 egress_fence";

void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

std::string output(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

std::string filters() {
  return output("tc filter show dev eth0 egress 2>&1");
}

class EgressTest : public testing::Test {
 protected:
  void SetUp() override { add_interface(); }
  void TearDown() override {
    detach_all();
    run("ip link delete eth0");
  }

  static void add_interface() { run("ip link add eth0 index 79 type veth peer name eth1"); }
  static Dataplane open() {
    base::Result<Dataplane> opened = Dataplane::open({.connections = 256, .connections6 = 256, .templates = 256});
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }
  const std::vector<Place> eth0_ = {{kIndex, "eth0", 1500}};
};

}  // namespace

TEST_F(EgressTest, OneRunAfterTheOther) {
  std::string first;
  {
    Dataplane dataplane = open();
    EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
    ASSERT_TRUE(dataplane.keep());
    first = filters();
    EXPECT_THAT(first, HasSubstr(kOurs));
    EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
    EXPECT_EQ(filters(), first) << "what is there is left alone";
  }
  EXPECT_EQ(filters(), first) << "nobody runs";
  Dataplane dataplane = open();
  EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
  EXPECT_NE(filters(), first);
  EXPECT_EQ(filters().find(kOurs), filters().rfind(kOurs)) << "in its place";
}

TEST_F(EgressTest, AnInterfaceThatIsNotHeldAnyMoreIsLetGo) {
  Dataplane dataplane = open();
  dataplane.hold_egress(eth0_);
  dataplane.hold_egress({});
  EXPECT_THAT(filters(), IsEmpty());
  EXPECT_THAT(pins::egresses(), IsEmpty());
}

TEST_F(EgressTest, NothingStaysOfAnEarlierRun) {
  open().hold_egress(eth0_);
  EXPECT_THAT(pins::egresses(), ElementsAre(kIndex));
  detach_all();
  EXPECT_THAT(filters(), IsEmpty());
}

TEST_F(EgressTest, FollowsAnInterfaceThatIsMadeAnew) {
  Dataplane dataplane = open();
  dataplane.hold_egress(eth0_);
  run("ip link delete eth0");
  add_interface();
  EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
  EXPECT_THAT(filters(), HasSubstr(kOurs));
}

TEST_F(EgressTest, OtherFiltersStay) {
  run("tc qdisc add dev eth0 clsact && tc filter add dev eth0 egress prio 7 bpf bytecode '1,6 0 0 0'");
  {
    Dataplane dataplane = open();
    EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
    EXPECT_THAT(filters(), HasSubstr("bytecode"));
  }
  detach_all();
  EXPECT_THAT(filters(), HasSubstr("bytecode"));
}

TEST_F(EgressTest, APlaceThatSomebodyElseHasIsToldAndLeftAlone) {
  run("tc qdisc add dev eth0 clsact && tc filter add dev eth0 egress prio 1 protocol ip bpf bytecode '1,6 0 0 0'");
  Dataplane dataplane = open();
  EXPECT_THAT(dataplane.hold_egress(eth0_), ElementsAre(HasSubstr("eth0: what this host says")));
  EXPECT_THAT(pins::egresses(), IsEmpty());
  EXPECT_THAT(filters(), HasSubstr("bytecode"));
}

TEST_F(EgressTest, AFilterThatSomebodyTookOffIsPutBack) {
  Dataplane dataplane = open();
  dataplane.hold_egress(eth0_);
  run("tc qdisc delete dev eth0 clsact");
  EXPECT_THAT(dataplane.hold_egress(eth0_), IsEmpty());
  EXPECT_THAT(filters(), HasSubstr(kOurs));
}

}  // namespace dataplane
