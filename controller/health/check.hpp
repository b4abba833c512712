// SPDX-License-Identifier: Apache-2.0
// The seam between the kinds of check (one file each: tcp.cpp, ...) and what makes health of their outcomes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipc/messages.hpp"
#include "loop/loop.hpp"

namespace health {

enum class Verdict {
  passed,
  failed,   // the real server's fault, or its network's
  unknown,  // ours (no descriptors, no memory, no local port): says nothing about the real server
};

// What one try has found out.
struct Outcome {
  Verdict verdict = Verdict::unknown;
  std::string words;  // "connect to 192.168.100.34:9814: connection refused"

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// One try in flight. It calls back once, from the loop, never while it is being made; destroyed, it never calls back.
class Probe {
 public:
  using OnOutcome = std::function<void(Outcome)>;

  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;
};

// Makes the probe that fits the kind of `check`.
using StartProbe = std::function<std::unique_ptr<Probe>(loop::Loop&, const ipc::HealthTarget&,
                                                        const model::TcpCheck& check, Probe::OnOutcome)>;

}  // namespace health
