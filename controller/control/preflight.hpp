// SPDX-License-Identifier: Apache-2.0
// What an interface cannot do, found before the program is put on it, with the fix. Pure: facts in, findings out;
// interface_facts.hpp gathers them. docs/troubleshooting.md lists every finding.
#pragma once

#include <string>
#include <vector>

#include "netlink/ethtool.hpp"
#include "netlink/links.hpp"
#include "netlink/xdp_features.hpp"

namespace control {

// A device that frames arrive at: the interface itself, or a port of the bond that it is.
struct DeviceFacts {
  std::string name;
  netlink::Ethtool ethtool;
  std::optional<netlink::XdpFeatures> xdp = {};  // nullopt: not known
};

// A VLAN sub-interface on the interface.
struct VlanFacts {
  netlink::Link link;
  bool carried = false;  // virtual servers' packets come or go with its tag, and the interface's program takes them
};

// Another interface by which real servers are reached from here.
struct ExitFacts {
  netlink::Link link;
  bool has_program = false;
  std::optional<netlink::XdpFeatures> xdp = {};
};

struct InterfaceFacts {
  netlink::Link link;
  netlink::Link master;  // the interface that it is a port of; its kind is empty where it is none
  std::vector<DeviceFacts> devices;
  std::vector<VlanFacts> vlans;
  std::vector<ExitFacts> exits;
  unsigned cpus = 1;
  bool generic = false;  // that mode is wanted
};

enum class Severity {
  refuse,     // packets would be lost or go astray: the program must not be put there
  no_native,  // the driver is likely to refuse native XDP
  warn,       // it works, with a limit that one should know
};

struct Finding {
  Severity severity = Severity::warn;
  std::string problem;
  std::string fix;

  std::string str() const { return problem + ": " + fix; }
  friend bool operator==(const Finding&, const Finding&) = default;
};

// In the order of their severity.
std::vector<Finding> examine(const InterfaceFacts& facts);

}  // namespace control
