// SPDX-License-Identifier: Apache-2.0
// Traffic in the millions of packets per second: frames that a test has built are sent through the program by another
// BPF program, on several CPUs at once, and each packet's outcome is checked there (traffic.bpf.c).
#pragma once

#include <functional>

#include "bpf/fixture.hpp"
#include "bpf/load/bpf/traffic.h"
#include "support/program.hpp"

struct traffic;

namespace test {

class Traffic {
 public:
  Traffic(const Program& program, uint32_t flows);  // as many as have a number, from 0
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;
  ~Traffic();

  // Gives the real servers the MAC addresses by which they are known here.
  static void name_real_servers(const Program& program, uint32_t slots);

  // A frame that is sent when a CPU's plan says so; returns its number.
  uint32_t add(const Packet& packet, uint32_t flow, traffic_rule rule, bool fleeting = false);

  uint32_t frame_count() const { return frame_count_; }

  traffic_cpu& cpu(uint32_t number) const { return cpus_[number]; }
  traffic_expected& expected(uint32_t flow) const { return expected_[flow]; }

  // Sends on the calling thread's CPU, which it must not leave.
  void send(uint32_t packets) const;

 private:
  ::traffic* skeleton_;
  uint32_t frame_count_ = 0;
  Table<traffic_cpu> cpus_;
  Table<traffic_frame> frames_;
  Table<traffic_expected> expected_;
};

// Runs `work(cpu)` on CPU 0 and on CPU 1 (on the only one there is), at the same time.
uint32_t cpu_count();  // 1 or 2
void on_each_cpu(const std::function<void(uint32_t cpu)>& work);

// For how long, or how much: from the environment, else as given.
double from_environment(const char* name, double otherwise);

}  // namespace test
