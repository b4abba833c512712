// SPDX-License-Identifier: Apache-2.0
// The kernel's half of the fence: arp_ignore=1 and arp_announce=2 on the VRRP interfaces, so that neither a dead node's
// own traffic nor its other interfaces speak for a virtual address. (The program's half drops ARP requests.)
// What was set before is remembered in a file, for a run that crashes too.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/result.hpp"

namespace control {

class Fence {
 public:
  Fence();  // with what an earlier run remembered

  // Holds the settings on these interfaces and gives all others their own back. An interface that is gone is no error.
  // An error means that something is not held, or not remembered for a next run; all the rest is done.
  base::Result<> hold(const std::set<std::string>& interfaces);

  void restore();

 private:
  using Values = std::map<std::string, int>;  // key → value

  base::Result<> save();

  std::map<std::string, Values> originals_;  // by interface
  bool saved_ = true;
};

}  // namespace control
