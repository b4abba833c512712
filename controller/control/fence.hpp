// SPDX-License-Identifier: Apache-2.0
// The kernel's half of the fence: arp_ignore=1 and arp_announce=2 on the VRRP interfaces, so that neither a dead node's
// own traffic nor its other interfaces speak for a virtual address. (The program's half drops ARP requests.) And the
// other settings of net.ipv4.conf that are held as long as we run.
// What was set before is remembered in a file, for a run that crashes too.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/result.hpp"
#include "model/config.hpp"

namespace control {

class Fence {
 public:
  Fence();  // with what an earlier run remembered

  using Settings = std::map<std::string, int>;  // key → value
  using ByInterface = std::map<std::string, Settings>;
  static const Settings kQuiet;

  // Holds these settings and gives all others their own values back. An interface that is gone is no error.
  // An error means that something is not held, or not remembered for a next run; all the rest is done.
  base::Result<> hold(const ByInterface& wanted);

  void restore();

 private:
  void let_go(const ByInterface& wanted);
  base::Result<> save();

  ByInterface originals_;
  bool saved_ = true;
};

// What is to be held for this configuration: these interfaces quiet, and what its instances ask for.
Fence::ByInterface kernel_settings(const model::Config& config, const std::set<std::string>& quiet);

}  // namespace control
