// SPDX-License-Identifier: Apache-2.0
// Target: one real server of one virtual server under its checks, each with a timer and a probe of its own. Up when all
// of them are.
#pragma once

#include <list>
#include <string>

#include "health/check.hpp"
#include "health/retry.hpp"

namespace health {

class Target {
 public:
  using OnReport = std::function<void(const ipc::HealthReport&)>;

  // Goes on from the health that `config.up` says; its checks begin after `first_try`. `start_probe` and `on_report`
  // are borrowed.
  Target(loop::Loop& loop, ipc::HealthTarget config, base::Duration first_try, const StartProbe& start_probe,
         const OnReport& on_report);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  bool up() const;  // without checks: up
  const ipc::HealthTarget& config() const { return config_; }
  void rename(const std::string& virtual_server) { config_.virtual_server = virtual_server; }  // for the log

 private:
  struct Check {
    Check(Target& target, const model::TcpCheck& check);
    model::TcpCheck config;
    CheckState state;
    Outcome last{.verdict = Verdict::unknown, .words = "not checked yet"};
    loop::Timer next_try;
    bool unknown = false;  // the last try was: said once
    std::unique_ptr<Probe> probe;
  };

  void try_now(Check& check);
  void tried(Check& check, Outcome outcome);
  void series_ended(const Check& ended);
  void report(const Outcome& outcome);
  std::string name() const;

  loop::Loop& loop_;
  ipc::HealthTarget config_;
  const StartProbe& start_probe_;
  const OnReport& on_report_;
  std::list<Check> checks_;
  bool reported_up_;
};

}  // namespace health
