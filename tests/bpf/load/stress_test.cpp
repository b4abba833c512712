// SPDX-License-Identifier: Apache-2.0
// The concurrency proof: insert, hit, replace and expiry on all CPUs at once, in tables so small that everything is
// always in everything's way, with the controller's sweep beside. No packet ever goes to a real server that its flow
// was not assigned to.
//
//   XDIRECTOR_STRESS_SECONDS=3600 stress_test    for each family; 15 otherwise
//
// Two kinds of flows. A *fixed* one is of a virtual server whose scheduler or persistence template has one answer for
// it; both CPUs send its packets. A *tracked* one is scheduled by turn, so it has another real server each time that
// its entry is lost; one CPU alone sends its packets, so what the program says (placed, or known) tells where each must
// go. Clients share a port, mark services share real servers over ports and addresses, and of IPv6 the folds of clients
// and of virtual addresses collide: whatever the entries' words leave to chance is made to happen.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <numeric>
#include <set>
#include <thread>
#include <unordered_map>

#include "bpf/load/traffic.hpp"
#include "dataplane/connections.hpp"
#include "xdirector/hash.h"

namespace test {

class Stress : public EachFamily {
 protected:
  static constexpr uint32_t kFlows = 4096;
  static constexpr uint32_t kBatch = 200'000;  // packets of one system call
  static constexpr uint16_t kClientPort = 40000;

  void SetUp() override {
    EachFamily::SetUp();
    if (!ready()) return;
    settings().template_buckets = kBuckets;
    make_addresses();
    make_virtual_servers();
    Traffic::name_real_servers(program(), kSlots);
    traffic_.emplace(program(), kFlows);
    make_flows();
  }

  // Of IPv6, pairs whose folds are equal: entries of the two differ in nothing but the addresses beside them.
  void make_addresses() {
    if (!ipv6()) {
      for (int i = 1; i <= 6; i++) clients_.push_back(host(i));
      vips_ = {host(111), host(112)};
      return;
    }
    for (uint32_t number = 0; clients_.size() < 6; number += kMany) twins(number, 0xffffffff, clients_);
    twins(0, 0xffff0000, vips_);
  }
  static constexpr uint32_t kMany = 1 << 20;
  void twins(uint32_t from, uint32_t mask, std::vector<std::string>& found) {
    std::unordered_map<uint32_t, uint32_t> seen;
    for (uint32_t number = from;; number++) {
      const auto [earlier, is_new] = seen.try_emplace(fold_of(numbered(number)) & mask, number);
      if (is_new) continue;
      for (const uint32_t twin : {earlier->second, number}) found.push_back(numbered(twin).str());
      return;
    }
  }
  static base::Ip numbered(uint32_t number) {
    base::Ip::Bytes bytes = ip("2001:db8::").bytes();
    for (size_t i = 0; i < 4; i++) bytes[12 + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
    return base::Ip(bytes);
  }
  uint32_t fold_of(const base::Ip& address) {
    __u64 words[2];
    memcpy(words, address.bytes().data(), sizeof(words));
    return address_fold(words, settings().hash_seed);
  }

  std::vector<RealServer> reals(int count) const {
    std::vector<RealServer> all;
    for (int i = 0; i < count; i++) all.push_back(real(10 + i));
    return all;
  }

  void make_virtual_servers() {
    by_turn_ = virtual_server(vips_[0], 80, kTcp, reals(7));
    datagrams_ = virtual_server(vips_[0], 80, kUdp, reals(5));
    mark_ = marked_virtual_server(300, kTcp, reals(7));
    by_client_ = virtual_server(vips_[0], 81, kTcp, reals(7));
    entry(by_client_).scheduler = XD_BY_CYCLE;
    entry(by_client_).flags |= XD_HASH_PORT;
    persistent_ = marked_virtual_server(301, kTcp, reals(7));
    entry(persistent_).scheduler = XD_BY_CYCLE;
    persist(persistent_, kTimeout);
    for (const auto& address : vips_) port_marks(address, kTcp, {{8000, 8003, 300}, {9000, 9003, 301}});
    for (uint16_t number = 1; number <= kSlots; number++) {
      std::fill_n(slot(number).timeout_ticks, 4, kTimeout);
      slot(number).timeout_ticks[XD_OPENING] = kTimeout / 2;
    }
  }
  static constexpr uint16_t kTimeout = 40;  // ticks; the traffic ages entries by 8
  static constexpr uint32_t kSlots = 4 * 7 + 5;

  // All that a client may send in a connection's life; data more often than the rest.
  void add_tcp(uint32_t flow, traffic_rule rule, const std::string& client, const std::string& vip,
               uint16_t client_port, uint16_t port) {
    const auto begin = frame_.ip(client, vip);
    for (const uint8_t flags : {kSyn, kAck, kAck, kAck}) traffic_->add(begin.tcp(client_port, port, flags), flow, rule);
    traffic_->add(begin.tcp(client_port, port, kFin | kAck), flow, rule);
    traffic_->add(begin.tcp(client_port, port, kRst), flow, rule, true);
    traffic_->add(error(client, vip, client_port, port), flow, rule, true);
  }
  Packet error(const std::string& client, const std::string& vip, uint16_t client_port, uint16_t port) const {
    const auto sent = frame_.ip(vip, client).tcp(port, client_port, kAck);
    return frame_.ip(host(1, 7), vip)
        .icmp(ipv6() ? 2 : 3, ipv6() ? 0 : 4)
        .quote(sent, sent.transport_offset() - sent.ip_offset() + 8);
  }
  void add_udp(uint32_t flow, traffic_rule rule, const std::string& client, uint16_t client_port) {
    for (int i = 0; i < 5; i++) traffic_->add(frame_.ip(client, vips_[0]).udp(client_port, 80), flow, rule);
  }

  // CPU 0's tracked flows, the fixed ones of both, CPU 1's tracked flows: so each CPU's frames are neighbours.
  void make_flows() {
    add_tracked(0);
    const uint32_t fixed = traffic_->frame_count();
    add_fixed();
    const uint32_t end_of_fixed = traffic_->frame_count();
    add_tracked(1);
    frames_ = {{{0, end_of_fixed}, {fixed, traffic_->frame_count() - fixed}}};
  }

  void add_tracked(uint32_t cpu) {
    uint32_t turn = 0;
    for (const auto& client : clients_) {
      for (const auto& vip : vips_) {
        for (const uint16_t port : {8000, 8001, 8002}) {
          if (turn++ % 2 == cpu) add_tcp(next_flow_++, TRAFFIC_TRACKED, client, vip, kClientPort, port);
        }
      }
      if (turn++ % 2 == cpu) add_tcp(next_flow_++, TRAFFIC_TRACKED, client, vips_[0], kClientPort, 80);
      if (turn++ % 2 == cpu) add_udp(next_flow_++, TRAFFIC_TRACKED, client, kClientPort);
    }
  }
  void add_fixed() {
    for (const auto& client : clients_) {
      for (const uint16_t client_port : {kClientPort, uint16_t{40001}}) {
        add_tcp(next_flow_++, TRAFFIC_FIXED, client, vips_[0], client_port, 81);
      }
      const uint32_t flow_of_client = next_flow_++;  // its template has one answer for all
      for (const auto& vip : vips_) {
        for (const uint16_t port : {9000, 9001}) {
          add_tcp(flow_of_client, TRAFFIC_FIXED, client, vip, kClientPort, port);
        }
      }
    }
  }

  void plan(uint32_t number) {
    traffic_cpu& cpu = traffic_->cpu(number);
    cpu.order = TRAFFIC_RANDOM;
    cpu.first = frames_[number].first;
    cpu.count = frames_[number].second;
    cpu.ageing = 4;
    cpu.ageing_buckets = kBuckets;
    cpu.ageing_ticks = 8;
  }

  // Traffic on both CPUs for so long.
  void drive(std::chrono::duration<double> time) {
    const auto end = std::chrono::steady_clock::now() + time;
    on_each_cpu([&](uint32_t number) {
      plan(number);
      while (std::chrono::steady_clock::now() < end) traffic_->send(kBatch);
    });
  }

  void say_what_happened() const {
    std::printf("          ");
    for (uint32_t i = 0; i < XD_VERDICT_COUNT; i++) {
      const auto verdict = static_cast<xd_verdict>(i);
      if (counter(verdict)) std::printf(" %s %.2f M", name(verdict), static_cast<double>(counter(verdict)) / 1e6);
    }
    std::printf("; %lu stale\n", total(&traffic_cpu::stale));
  }
  uint64_t total(__u64 traffic_cpu::* field) const {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < TRAFFIC_CPUS; i++) sum += traffic_->cpu(i).*field;
    return sum;
  }

  std::vector<std::string> clients_, vips_;
  VirtualServer by_turn_, datagrams_, mark_, by_client_, persistent_;
  std::optional<Traffic> traffic_;
  std::array<std::pair<uint32_t, uint32_t>, 2> frames_;  // each CPU's, first and count
  uint32_t next_flow_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Both, Stress, kBothFamilies, family_name);

TEST_P(Stress, NoPacketGoesToARealServerThatItsFlowWasNotAssignedTo) {
  std::jthread sweeping([this](const std::stop_token& stop) {
    dataplane::Sweep sweep({program().connections.begin(), kBuckets}, {program().connections6.begin(), kBuckets},
                           {program().real_servers.begin(), kSlots + 1});
    while (!stop.stop_requested()) {
      sweep.step(sweep.size(), 0);
      std::this_thread::yield();
    }
  });
  drive(std::chrono::duration<double>(from_environment("XDIRECTOR_STRESS_SECONDS", 15)));
  sweeping.request_stop();
  sweeping.join();
  say_what_happened();
  const uint64_t judged = total(&traffic_cpu::judged);
  EXPECT_EQ(total(&traffic_cpu::unsent), 0U);
  EXPECT_EQ(total(&traffic_cpu::wrong), 0U);
  for (uint32_t i = 0; i < 2; i++) {
    const auto& cpu = traffic_->cpu(i);
    if (cpu.wrong) {
      ADD_FAILURE() << "CPU " << i << ": " << cpu.wrong << " packets, the last of flow " << cpu.example.flow
                    << " (frame " << cpu.example.frame << ") to slot " << cpu.example.went << " instead of "
                    << cpu.example.expected;
    }
  }
  EXPECT_LT(total(&traffic_cpu::stale), judged / 1000);
  // It was all there: hits, inserts, replacements, templates, and ways that were not to be had.
  for (const auto verdict :
       {verdict_forwarded, verdict_scheduled, verdict_hashed, verdict_persisted, verdict_unlearned}) {
    EXPECT_GT(counter(verdict), judged / 1000) << name(verdict);
  }
}

}  // namespace test
