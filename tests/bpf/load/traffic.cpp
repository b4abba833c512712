// SPDX-License-Identifier: Apache-2.0
#include "bpf/load/traffic.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "traffic.skel.h"  // names the types of traffic.h

namespace test {
namespace {

void check(int failed, const char* what) {
  if (failed) throw std::runtime_error(std::string(what) + ": " + strerror(-failed));
}

}  // namespace

Traffic::Traffic(const Program& program, uint32_t flows) : skeleton_(::traffic::open()) {
  auto& maps = skeleton_->maps;
  bpf_map__set_max_entries(maps.expected, flows);
  check(bpf_map__reuse_fd(maps.counters, program.table("counters")), "counters");
  check(bpf_map__reuse_fd(maps.connections, program.table("connections")), "connections");
  check(bpf_map__reuse_fd(maps.connections6, program.table("connections6")), "connections6");
  check(bpf_map__reuse_fd(maps.persistence, program.table("persistence")), "persistence");
  check(::traffic::load(skeleton_), "the kernel refused the traffic");
  cpus_.map(maps.cpus);
  frames_.map(maps.frames);
  expected_.map(maps.expected);
  const uint32_t zero = 0;
  const int target = program.fd();
  check(bpf_map_update_elem(bpf_map__fd(maps.target), &zero, &target, BPF_ANY), "the target");
  for (uint32_t i = 0; i < TRAFFIC_CPUS; i++) cpus_[i].random = i + 1;
}

Traffic::~Traffic() {
  ::traffic::destroy(skeleton_);
}

void Traffic::name_real_servers(const Program& program, uint32_t slots) {
  for (uint32_t i = 1; i <= slots; i++) {
    const uint8_t mac[] = {TRAFFIC_MAC, 0, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    std::copy_n(mac, sizeof(mac), program.real_servers[i].mac);
  }
}

uint32_t Traffic::add(const Packet& packet, uint32_t flow, traffic_rule rule, bool fleeting) {
  if (packet.bytes().size() > TRAFFIC_BYTES) throw std::runtime_error("the frame is too long");
  traffic_frame& frame = frames_[frame_count_];
  frame = {.flow = flow, .rule = static_cast<uint8_t>(rule), .fleeting = fleeting, .reserved = {}, .words = {}};
  std::copy(packet.bytes().begin(), packet.bytes().end(), reinterpret_cast<uint8_t*>(frame.words));
  return frame_count_++;
}

void Traffic::send(uint32_t packets) const {
  Bytes frame(TRAFFIC_BYTES);
  const auto run = [&](uint32_t repeat) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = frame.data(),
                .data_size_in = TRAFFIC_BYTES, .data_size_out = TRAFFIC_BYTES, .repeat = static_cast<int>(repeat));
    check(bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.traffic), &options), "BPF_PROG_TEST_RUN");
  };
  traffic_cpu& cpu = cpus_[static_cast<uint32_t>(sched_getcpu())];
  run(packets);
  const uint32_t count = std::exchange(cpu.count, 0);
  run(1);  // judges the last one
  cpu.count = count;
}

uint32_t cpu_count() {
  return static_cast<uint32_t>(std::min(2L, sysconf(_SC_NPROCESSORS_ONLN)));
}

void on_each_cpu(const std::function<void(uint32_t)>& work) {
  std::vector<std::jthread> threads;
  for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
    threads.emplace_back([cpu, &work] {
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      CPU_SET(cpu, &cpus);
      pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
      work(cpu);
    });
  }
}

double from_environment(const char* name, double otherwise) {
  const char* value = std::getenv(name);
  return value ? std::stod(value) : otherwise;
}

}  // namespace test
