// SPDX-License-Identifier: Apache-2.0
#include "control/preflight.hpp"

#include <fmt/format.h>
#include <linux/if_bonding.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "dataplane/attach.hpp"

namespace control {
namespace {

// What holds for a driver beyond what all have in common, by the drivers' sources, Linux 6.1 to 6.12. Where the kernel
// tells what an interface can do, that counts.
struct DriverRule {
  std::string_view driver;
  uint32_t largest_mtu = dataplane::kLargestPageMtu;
  bool multi_buffer = true;      // takes a larger MTU with the multi-buffer program
  bool half_the_queues = false;  // must be left for what the program sends
};
constexpr std::array kDriverRules = std::to_array<DriverRule>({
    {.driver = "ena", .multi_buffer = false, .half_the_queues = true},
    {.driver = "gve", .largest_mtu = 2032, .multi_buffer = false, .half_the_queues = true},
    {.driver = "hv_netvsc", .multi_buffer = false},
    {.driver = "ixgbe", .largest_mtu = 3000, .multi_buffer = false},
    {.driver = "ixgbevf", .largest_mtu = 3000, .multi_buffer = false},
    {.driver = "nicvf", .largest_mtu = 1508, .multi_buffer = false},
});

DriverRule rule_for(std::string_view driver) {
  const auto* found = std::ranges::find(kDriverRules, driver, &DriverRule::driver);
  return found == kDriverRules.end() ? DriverRule{.driver = driver} : *found;
}

// Of a kind that neither has native XDP nor sends what it is handed.
bool is_virtual(const netlink::Link& link) {
  constexpr std::array<std::string_view, 5> kKinds{"bridge", "team", "macvlan", "ipvlan", "dummy"};
  return std::ranges::find(kKinds, link.kind) != kKinds.end();
}

class Examiner {
 public:
  explicit Examiner(const InterfaceFacts& facts) : facts_(facts), link_(facts.link), name_(facts.link.name) {}

  std::vector<Finding> findings() {
    place();
    vlans();
    if (!facts_.generic) native();
    for (const ExitFacts& exit : facts_.exits) {
      if (hands_over_) reach(exit);
      fit(exit);
    }
    return std::move(findings_);
  }

 private:
  void add(Severity severity, std::string problem, std::string fix) {
    const auto here = std::ranges::upper_bound(findings_, severity, {}, &Finding::severity);
    findings_.insert(here, {severity, std::move(problem), std::move(fix)});
  }

  // Is it where frames for this host arrive at all?
  void place() {
    if (!link_.ethernet) {
      add(Severity::refuse, name_ + " is not an Ethernet interface, and frames are sent on by their MAC address",
          "name the interface where the clients' frames arrive");
    }
    const std::string& master = facts_.master.name;
    if (facts_.master.kind == "bond" || facts_.master.kind == "team") {
      add(Severity::refuse,
          fmt::format("{} is a port of {}, and this host sends and answers by {}", name_, master, master),
          fmt::format("name \"{}\" in place of \"{}\"", master, name_));
    } else if (facts_.master.kind == "bridge" || facts_.master.kind == "openvswitch") {
      add(Severity::refuse,
          fmt::format("{} is a port of the bridge {}, which has this host's addresses", name_, master),
          fmt::format("name \"{}\" (generic mode), or take the port out: ip link set dev {} nomaster", master, name_));
    }
  }

  void native() {
    kind();
    for (const DeviceFacts& device : facts_.devices) driver(device);
    hands_over_ = std::ranges::find(findings_, Severity::no_native, &Finding::severity) == findings_.end();
    for (const DeviceFacts& device : facts_.devices) {
      lro(device);
      mtu(device);
      queues(device);
    }
  }

  void kind() {
    if (link_.bond) return bond();
    if (link_.vlan) {
      add(Severity::no_native, name_ + " is a VLAN sub-interface, which has no native XDP",
          "add its parent to \"interfaces\"; the parent's program then takes its frames, with their tags");
    } else if (is_virtual(link_)) {
      add(Severity::no_native, fmt::format("{} is a {}, which has no native XDP", name_, link_.kind),
          "use an interface of hardware");
    }
  }

  void bond() {
    const netlink::Bond& bond = *link_.bond;
    const bool hashed = bond.mode == BOND_MODE_XOR || bond.mode == BOND_MODE_8023AD;
    if (!hashed && bond.mode != BOND_MODE_ROUNDROBIN && bond.mode != BOND_MODE_ACTIVEBACKUP) {
      add(Severity::no_native, fmt::format("the bond {} is of a mode that has no native XDP", name_),
          "use the mode active-backup, 802.3ad, balance-xor or balance-rr");
    }
    if (hashed && bond.hash_policy == BOND_XMIT_POLICY_VLAN_SRCMAC) {
      add(Severity::no_native, fmt::format("the bond {} chooses ports by vlan+srcmac, which has no native XDP", name_),
          fmt::format("ip link set dev {} type bond xmit_hash_policy layer3+4", name_));
    }
  }

  void vlans() {
    for (const VlanFacts& vlan : facts_.vlans) {
      if (vlan.carried && vlan.link.mac != link_.mac) {
        add(Severity::refuse,
            fmt::format("{} has a MAC address of its own, and the program on {} takes frames to {} only",
                        vlan.link.name, name_, link_.mac.str()),
            fmt::format("ip link set dev {} address {}", vlan.link.name, link_.mac.str()));
      }
      for (const DeviceFacts& device : facts_.devices) {
        if (device.ethtool.strips_vlan_tags) stripped(vlan, device);
      }
    }
  }

  // Sent on without its tag, a frame would arrive in another VLAN.
  void stripped(const VlanFacts& vlan, const DeviceFacts& device) {
    add(vlan.carried ? Severity::refuse : Severity::warn,
        fmt::format("{} takes VLAN tags off before the program sees a frame, and {} stands on them", device.name,
                    vlan.link.name),
        fmt::format("ethtool -K {} rxvlan off", device.name));
  }

  void driver(const DeviceFacts& device) {
    if (!device.xdp || device.xdp->native || link_.vlan || is_virtual(link_)) return;
    add(Severity::no_native,
        fmt::format("{}'s driver ({}) has no native XDP as it is set up now", device.name, device.ethtool.driver),
        "use an interface of another driver, if nothing else that is said here helps");
  }

  void lro(const DeviceFacts& device) {
    if (!device.ethtool.lro) return;
    add(Severity::no_native, device.name + " merges frames (LRO)", fmt::format("ethtool -K {} lro off", device.name));
  }

  void mtu(const DeviceFacts& device) {
    const DriverRule rule = rule_for(device.ethtool.driver);
    if (link_.mtu <= rule.largest_mtu || (device.xdp && device.xdp->multi_buffer)) return;
    const std::string fix = fmt::format("ip link set dev {} mtu {}", name_, rule.largest_mtu);
    if (rule.multi_buffer && !device.xdp) {
      add(Severity::no_native,
          fmt::format("frames of {}'s MTU {} do not fit in a page, and not every driver passes larger ones to XDP",
                      name_, link_.mtu),
          fix);
    } else {
      add(Severity::no_native,
          fmt::format("{}'s MTU {} is more than its driver ({}) takes with XDP", name_, link_.mtu,
                      device.ethtool.driver),
          fix);
    }
  }

  void queues(const DeviceFacts& device) {
    if (!device.ethtool.channels) return;
    const netlink::Channels& channels = *device.ethtool.channels;
    if (rule_for(device.ethtool.driver).half_the_queues) half_the_queues(device, channels);
    // One for each CPU, else they share theirs with the kernel, behind a lock.
    const uint32_t wanted = channels.combined + facts_.cpus;
    if (device.ethtool.driver == "virtio_net" && wanted > channels.max_combined) {
      add(Severity::warn,
          fmt::format("{} has {} pairs of queues and uses {}; for {} CPUs native XDP sends without locks from {} on",
                      device.name, channels.max_combined, channels.combined, facts_.cpus, wanted),
          fmt::format("give the virtual machine more queues{}",
                      channels.max_combined > facts_.cpus ? fmt::format(", or: ethtool -L {} combined {}", device.name,
                                                                        channels.max_combined - facts_.cpus)
                                                          : ""));
    }
  }

  void half_the_queues(const DeviceFacts& device, const netlink::Channels& channels) {
    const bool separate = channels.max_combined == 0;
    const uint32_t in_use = separate ? std::max(channels.rx, channels.tx) : channels.combined,
                   half = (separate ? channels.max_tx : channels.max_combined) / 2;
    if (in_use <= half && (!separate || channels.rx == channels.tx)) return;
    const std::string words = separate ? fmt::format("rx {} tx {}", half, half) : fmt::format("combined {}", half);
    add(Severity::no_native,
        fmt::format("{} has too few queues free: its driver ({}) wants half of them for what XDP sends", device.name,
                    device.ethtool.driver),
        fmt::format("ethtool -L {} {}", device.name, words));
  }

  // Can it be handed frames by a native program here?
  void reach(const ExitFacts& exit) {
    const std::string& out = exit.link.name;
    const bool never = is_virtual(exit.link) || (exit.xdp && !exit.xdp->sends && !exit.xdp->native);
    if (never) {
      add(Severity::refuse,
          fmt::format("real servers are reached by {}, which takes no frames from a native program on {}", out, name_),
          "run with --xdp-mode generic, or reach them by an interface with native XDP");
    } else if (!exit.has_program && exit.xdp && !exit.xdp->sends) {
      add(Severity::refuse,
          fmt::format(
              "real servers are reached by {}, which takes frames from a native program on {} only while it has "
              "one of its own",
              out, name_),
          fmt::format("add \"{}\" to \"interfaces\"", out));
    } else if (!exit.has_program && !exit.xdp) {
      add(Severity::warn,
          fmt::format("real servers are reached by {}, which has no program of its own, and many drivers send what "
                      "{} hands them only with one",
                      out, name_),
          fmt::format("add \"{}\" to \"interfaces\"", out));
    }
  }

  void fit(const ExitFacts& exit) {
    if (exit.link.mtu >= link_.mtu) return;
    add(Severity::warn,
        fmt::format("packets of more than {} bytes that come by {} (MTU {}) are lost on their way out by {}",
                    exit.link.mtu, name_, link_.mtu, exit.link.name),
        "give both the same MTU");
  }

  const InterfaceFacts& facts_;
  const netlink::Link& link_;
  const std::string& name_;
  std::vector<Finding> findings_;
  bool hands_over_ = false;  // native, as far as one can tell: other drivers get its frames as they are
};

}  // namespace

std::vector<Finding> examine(const InterfaceFacts& facts) {
  return Examiner(facts).findings();
}

}  // namespace control
