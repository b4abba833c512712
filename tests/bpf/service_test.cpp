// SPDX-License-Identifier: Apache-2.0
// Which virtual server a packet is for: the exact one, else the mark of its port.
#include "bpf/fixture.hpp"

namespace test {

class Service : public EachFamily {
 protected:
  const RealServer one_ = real(34);
  const RealServer two_ = real(35);
};

INSTANTIATE_TEST_SUITE_P(Both, Service, kBothFamilies, family_name);

TEST_P(Service, AMarkCoversItsRangesAndNothingElse) {
  const auto ftp = marked_virtual_server(300, kTcp, {one_});
  port_marks(vip_, kTcp, {{8000, 9813, 300}, {9815, 10000, 300}, {20000, 20000, 300}});
  for (const uint16_t port : {8000, 8001, 9813, 9815, 10000, 20000}) {
    EXPECT_EQ(slot_of(run(tcp(40000, port, kSyn))), ftp.slots[0]) << port;
  }
  for (const uint16_t port : {1, 7999, 9814, 10001, 19999, 20001, 65535}) {
    EXPECT_EQ(run(tcp(40000, port, kSyn)).verdict, verdict_passed_no_service) << port;
  }
  EXPECT_EQ(run(udp(40000, 8000)).verdict, verdict_passed_no_service);
}

TEST_P(Service, EveryRangeOfAFullTableIsFound) {
  std::vector<xd_port_range> ranges;
  std::vector<VirtualServer> servers;
  servers.reserve(3);
  for (uint32_t mark = 1; mark <= 3; mark++) servers.push_back(marked_virtual_server(mark, kTcp, {one_}));
  for (uint32_t i = 0; i < XD_MAX_PORT_RANGES; i++) {
    ranges.push_back({static_cast<uint16_t>(1000 + i * 10), static_cast<uint16_t>(1004 + i * 10), 1 + i % 3});
  }
  for (const uint32_t count : {1U, 2U, 3U, 64U, 127U, 128U}) {
    port_marks(vip_, kTcp, {ranges.begin(), ranges.begin() + count});
    for (uint32_t i = 0; i < XD_MAX_PORT_RANGES; i++) {
      const auto packet = tcp(static_cast<uint16_t>(2000 + count), static_cast<uint16_t>(1002 + i * 10), kRst);
      const auto expected = i < count ? verdict_hashed : verdict_passed_no_service;
      EXPECT_EQ(run(packet).verdict, expected) << i << " of " << count;
      EXPECT_EQ(run(tcp(1, static_cast<uint16_t>(1005 + i * 10), kRst)).verdict, verdict_passed_no_service);
      if (i < count) {
        EXPECT_EQ(stats(servers[i % 3].slots[0]).packets, 1U) << i << " of " << count;
        clear_stats();
      }
    }
  }
}

TEST_P(Service, TheExactVirtualServerBeatsTheMarkThatCoversIt) {
  const auto ftp = marked_virtual_server(300, kTcp, {one_});
  const auto rest = virtual_server(vip_, 9826, kTcp, {two_});
  port_marks(vip_, kTcp, {{8000, 10000, 300}});
  EXPECT_EQ(slot_of(run(tcp(40000, 9826, kSyn))), rest.slots[0]);
  EXPECT_EQ(slot_of(run(tcp(40000, 9825, kSyn))), ftp.slots[0]);
  EXPECT_EQ(slot_of(run(tcp(40000, 9827, kSyn))), ftp.slots[0]);
}

TEST_P(Service, AMarkWithoutAVirtualServerIsTheKernels) {
  port_marks(vip_, kTcp, {{8000, 10000, 300}});
  EXPECT_EQ(run(tcp(40000, 9000, kSyn)).verdict, verdict_passed_no_service);
  marked_virtual_server(300, kUdp, {one_});
  EXPECT_EQ(run(tcp(40000, 9000, kSyn)).verdict, verdict_passed_no_service);
}

TEST_P(Service, AnEmptyListOfRangesMarksNothing) {
  marked_virtual_server(300, kTcp, {one_});
  port_marks(vip_, kTcp, {{1, 1, 300}}, 0);  // what was there is not looked at
  EXPECT_EQ(run(tcp(40000, 1, kSyn)).verdict, verdict_passed_no_service);
}

TEST_P(Service, MarksAreOfAnAddressAndAProtocol) {
  const auto both = marked_virtual_server(300, kUdp, {one_});
  port_marks(vip_, kUdp, {{53, 53, 300}});
  port_marks(host(112), kUdp, {{54, 54, 300}});
  EXPECT_EQ(slot_of(run(udp(40000, 53))), both.slots[0]);
  EXPECT_EQ(run(udp(40000, 54)).verdict, verdict_passed_no_service);
  EXPECT_EQ(slot_of(run(frame_.ip(client_address_, host(112)).udp(40000, 54))), both.slots[0]);
}

TEST_P(Service, TcpAndUdpOfOnePortAreTwo) {
  const auto dns_tcp = virtual_server(vip_, 53, kTcp, {one_});
  const auto dns_udp = virtual_server(vip_, 53, kUdp, {two_});
  EXPECT_EQ(slot_of(run(tcp(40000, 53, kSyn))), dns_tcp.slots[0]);
  EXPECT_EQ(slot_of(run(udp(40000, 53))), dns_udp.slots[0]);
  EXPECT_EQ(slot_of(run(tcp(40000, 53, kAck))), dns_tcp.slots[0]);
  EXPECT_EQ(slot_of(run(udp(40000, 53))), dns_udp.slots[0]);
  EXPECT_EQ(connections().size(), 2U);
}

TEST_P(Service, OnlyAddressesThatTheFilterLetsThroughAreLookedAt) {
  virtual_server(vip_, 9826, kTcp, {one_});
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_scheduled);
  shut_filter();
  const auto in = tcp(40000, 9826, kAck);
  EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_no_service, in);  // not even of a known connection
}

TEST_P(Service, AnAddressThatSharesItsBitIsLookedUpInVain) {
  virtual_server(vip_, 9826, kTcp, {one_});
  let_through(host(112));  // as one that shares its bit with a virtual address
  for (const auto& in : {frame_.ip(client_address_, host(112)).tcp(40000, 9826, kSyn),
                         frame_.ip(client_address_, host(112)).tcp(40000, 9826, kAck)}) {
    EXPECT_LEFT(run(in), XDP_PASS, verdict_passed_no_service, in);
  }
  EXPECT_TRUE(connections().empty());
}

TEST_P(Service, TheFamiliesHaveMarksAndAddressesOfTheirOwn) {
  const auto other_family = ipv6() ? "192.168.100.111" : "2001:db8:0:100::111";
  virtual_server(other_family, 9826, kTcp, {one_});
  port_marks(other_family, kTcp, {{8000, 10000, 300}});
  marked_virtual_server(300, kTcp, {two_});
  let_through(vip_);
  EXPECT_EQ(run(tcp(40000, 9826, kSyn)).verdict, verdict_passed_no_service);
  EXPECT_EQ(run(tcp(40000, 9000, kSyn)).verdict, verdict_passed_no_service);
}

}  // namespace test
