// SPDX-License-Identifier: Apache-2.0
// A director without a network: the program with small tables, packets in and out by BPF_PROG_TEST_RUN. A suite on
// `EachFamily` is run for IPv4 and for IPv6; addresses are then told by `host`.
//
// Time stands still: it is tick 0. Tests let time pass by making entries older (`pass_ticks`).
// The connection tables have two buckets, so all flows share the same eight ways, number 0 to 7.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "support/packet.hpp"
#include "support/program.hpp"
#include "xdirector/maps.h"

namespace test {

inline constexpr uint32_t kBuckets = 2;
inline constexpr uint32_t kWays = kBuckets * XD_WAYS;
inline constexpr uint32_t kTemplateBuckets = 64;
inline TableSizes table_sizes = {.buckets = kBuckets,  // of the program, which is loaded once for all tests
                                 .real_servers = 64,
                                 .virtual_servers = 8,
                                 .schedule_blocks = 16,
                                 .template_buckets = kTemplateBuckets};
inline constexpr uint8_t kTcp = 6, kUdp = 17;
inline constexpr uint16_t kNever = XD_MAX_TIMEOUT_SECONDS;
inline constexpr uint32_t kLoopback = 1;  // test runs come in by lo

enum class Family { Ipv4, Ipv6 };
inline const auto kBothFamilies = testing::Values(Family::Ipv4, Family::Ipv6);
std::string family_name(const testing::TestParamInfo<Family>& family);

const char* name(xd_verdict verdict);

struct RealServer {
  std::string address;
  base::Mac mac;
  uint16_t weight = 1;
  uint32_t ifindex = kLoopback;
};

struct VirtualServer {
  uint32_t index = 0;
  std::vector<uint16_t> slots;  // of its real servers, in their order
};

struct Result {
  uint32_t action = 0;
  Bytes bytes;
  xd_verdict verdict = XD_VERDICT_COUNT;
};

// A way of the connection table, for people.
struct Connection {
  uint32_t way = 0;
  std::string client;
  uint16_t client_port = 0;
  uint16_t slot = 0;
  xd_connection_state state = XD_OPENING;
  uint32_t tick = 0;
};

// Who advertises, as the program has noted it; for people.
struct VrrpSeen {
  std::string sender;
  uint8_t virtual_router_id = 0;
  uint8_t version = 0, priority = 0;  // of the last one
  uint64_t count = 0;
  std::vector<uint16_t> tags;

  friend bool operator==(const VrrpSeen&, const VrrpSeen&) = default;
};

// A way of the table of templates, for people.
struct Template {
  uint32_t way = 0;
  std::string client;  // masked
  uint16_t slot = 0;
  bool proven = false;
  uint32_t age = 0;  // ticks
};

class Director : public testing::Test {
 protected:
  explicit Director(Family family = Family::Ipv4) : family_(family) {}
  void SetUp() override;
  bool ready() const { return !IsSkipped() && !HasFatalFailure(); }  // the program is loaded
  bool ipv6() const { return family_ == Family::Ipv6; }

 private:
  const Family family_;

 protected:
  // Of the reference deployment's network, or of another one.
  std::string host(int number, int network = 100) const;

  // What the controller would do. A virtual server has the family of its address, one of a mark that of the test.
  RealServer real(int number, uint16_t weight = 1) const;  // host(number), its MAC address ends in :NN
  VirtualServer virtual_server(std::string_view address, uint16_t port, uint8_t protocol,
                               const std::vector<RealServer>& real_servers);
  VirtualServer marked_virtual_server(uint32_t mark, uint8_t protocol, const std::vector<RealServer>& real_servers);
  void port_marks(std::string_view address, uint8_t protocol, const std::vector<xd_port_range>& ranges,
                  std::optional<uint32_t> count = std::nullopt);
  void persist(const VirtualServer& server, uint32_t ticks, std::optional<uint8_t> prefix = std::nullopt);
  void schedule(const VirtualServer& server, const std::vector<uint16_t>& cycle);  // and the Maglev table
  void maglev(const VirtualServer& server, const std::vector<uint16_t>& table);
  void lease(std::string_view address, int64_t nanoseconds_from_now);
  void interface(uint32_t ifindex, const base::Mac& mac);
  void peer(const base::Mac& mac);                         // a director behind lo
  void move_interface(uint32_t ifindex, uint32_t places);  // as if others of the same remainder had come first
  void let_through(std::string_view address);              // by the filter of virtual addresses
  void shut_filter();
  void remove_service(const VirtualServer& server);
  xd_real_server& slot(uint16_t slot);
  xd_virtual_server& entry(const VirtualServer& server);
  volatile xd_settings& settings();

  // Checks that the packet was counted once, and says under which verdict.
  Result run(const Packet& packet) { return run_program(program_fd(), packet); }
  Result run_multi_buffer(const Packet& packet);
  // As the host's own kernel sends it. False: it was held back, and counted as dropped_claim.
  bool leaves(const Packet& packet);
  std::vector<VrrpSeen> vrrp_seen() const;  // came in by lo, by sender
  uint64_t counter(xd_verdict verdict) const;
  xd_real_server_stats stats(uint16_t slot) const;
  int program_fd() const;
  static const Program& program();

  // The tables that the program writes.
  std::vector<Connection> connections() const;  // of the test's family
  Connection only_connection() const;
  void put_connection(const Connection& connection, std::string_view address, uint16_t port, uint8_t protocol = kTcp);
  std::vector<Template> templates(const VirtualServer& server) const;
  std::optional<Template> client_template(std::string_view client, const VirtualServer& server) const;
  void put_template(const Template& value, const VirtualServer& server);
  void pass_ticks(uint32_t ticks);
  void clear_connections();
  void clear_templates();
  void clear_stats();
  void change_address_word(uint32_t way, uint32_t word);  // of 64 bits: the client's two, the virtual address's two
  uint32_t generation(uint32_t way) const;                // of IPv6
  void lock_way(uint32_t way);
  bool way_is_locked(uint32_t way) const;

  const base::Mac client_ = mac("02:00:00:00:00:31");
  const base::Mac director_ = mac("02:00:00:00:02:44");
  const std::string client_address_ = host(31);
  const std::string vip_ = host(111);
  const Packet frame_ = eth(client_, director_);

  // Which real server a packet went to: its slot, by the MAC address of the frame; 0 for none.
  uint16_t slot_of(const Result& result) const;

  // A packet of the reference deployment's client.
  Packet tcp(uint16_t client_port, uint16_t port, uint8_t flags, std::string_view client = {}) const;
  Packet udp(uint16_t client_port, uint16_t port, std::string_view client = {}) const;
  Packet transport(uint8_t protocol, uint16_t client_port, uint16_t port) const;  // SYN or datagram

 private:
  VirtualServer add_virtual_server(const xd_service_key6& key, bool ipv6, const std::vector<RealServer>& real_servers);
  static Result run_program(int program, const Packet& packet);
  uint16_t add_slot(const xd_virtual_server& virtual_server, uint32_t index, const RealServer& server);
  xd_cycle put_cycle(const std::vector<uint16_t>& slots);
  xd_way& way(uint32_t number) const;
  uint32_t fold(const xd_address& address) const;

  std::vector<RealServer> by_slot_ = {{}};
  uint32_t next_virtual_server_ = 0;
  uint32_t next_schedule_ = 0;
};

class EachFamily : public Director, public testing::WithParamInterface<Family> {
 protected:
  EachFamily() : Director(GetParam()) {}
};

// Sent out again by the interface it came by, as `packet`, counted under `why`.
#define EXPECT_SENT(result, why, packet)  \
  do {                                    \
    const auto sent_frame = (result);     \
    EXPECT_EQ(sent_frame.verdict, why);   \
    EXPECT_EQ(sent_frame.action, XDP_TX); \
    EXPECT_PACKET(sent_frame, packet);    \
  } while (false)

// Left as it was, counted under `why`.
#define EXPECT_LEFT(result, what, why, packet) \
  do {                                         \
    const auto left_frame = (result);          \
    EXPECT_EQ(left_frame.verdict, why);        \
    EXPECT_EQ(left_frame.action, what);        \
    EXPECT_PACKET(left_frame, packet);         \
  } while (false)

#define EXPECT_PACKET(result, packet) EXPECT_EQ(test::difference((result).bytes, (packet).bytes()), "")

}  // namespace test

// NOLINTNEXTLINE(readability-identifier-naming): gtest's name
inline void PrintTo(xd_verdict verdict, std::ostream* out) {
  *out << test::name(verdict);
}
