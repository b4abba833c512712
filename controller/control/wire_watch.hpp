// SPDX-License-Identifier: Apache-2.0
// VRRP as it came by the wire, before any firewall, beside what the vrrp worker's sockets got: what arrives and is not
// heard is dropped by a firewall of this host. And who else advertises on our interfaces. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ipc/messages.hpp"
#include "model/config.hpp"

namespace control {

// Another router that advertised a virtual router on one of our interfaces.
struct WireRouter {
  std::string interface;
  base::Ip sender;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;
  base::Time at;  // the last time

  friend bool operator==(const WireRouter&, const WireRouter&) = default;
};

class WireWatch {
 public:
  // About once a second; `reports` by the names of instances, each at most a second old.
  void look(const std::vector<model::VrrpInstance>& instances, const std::map<std::string, ipc::VrrpReport>& reports,
            const std::vector<WireRouter>& seen, base::Time now);

  // What arrives for the instance and does not reach the worker.
  std::optional<ipc::VrrpProblem> problem(const std::string& instance) const;

  // Problems that are to be logged: each instance's once in a while.
  std::vector<std::string> take_news();

  // Those of virtual routers that none of our instances is, the latest first, not more than a screen has lines.
  const std::vector<WireRouter>& others() const { return others_; }

 private:
  struct Ear {
    uint64_t heard = 0;                       // advertisements, rejected ones too
    base::Time heard_at;                      // when that grew last, or the instance began to listen
    std::optional<base::Time> unheard_since;  // the first that came by the wire after it
    bool listens = false;
    std::optional<ipc::VrrpProblem> problem;
    std::optional<base::Time> logged_at;
  };
  void judge(const model::VrrpInstance& instance, Ear& ear, const std::vector<WireRouter>& seen, base::Time now);

  std::map<std::string, Ear> ears_;
  std::vector<WireRouter> others_;
  std::vector<std::string> news_;
};

}  // namespace control
