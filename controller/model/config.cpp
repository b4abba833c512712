// SPDX-License-Identifier: Apache-2.0
#include "model/config.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace model {

const char* name(Protocol protocol) {
  return protocol == Protocol::tcp ? "TCP" : "UDP";
}

const char* name(Scheduler scheduler) {
  switch (scheduler) {
    case Scheduler::rr:
      return "rr";
    case Scheduler::wrr:
      return "wrr";
    case Scheduler::lc:
      return "lc";
    case Scheduler::wlc:
      return "wlc";
    case Scheduler::sh:
      return "sh";
    case Scheduler::mh:
      return "mh";
  }
  return "";
}

uint16_t scheduled_weight(Scheduler scheduler, uint16_t weight) {
  const bool ignored = scheduler == Scheduler::rr || scheduler == Scheduler::lc;
  return ignored ? std::min(weight, uint16_t{1}) : weight;
}

std::string VirtualServerKey::str() const {
  if (mark != 0) return fmt::format("{} fwmark {}{}", name(protocol), mark, mark_v6 ? " IPv6" : "");
  return fmt::format("{} {}", name(protocol), address.str(port));
}

const char* name(TrackerKind kind) {
  switch (kind) {
    case TrackerKind::interface:
      return "track_interface";
    case TrackerKind::script:
      return "track_script";
    case TrackerKind::file:
      return "track_file";
    case TrackerKind::process:
      return "track_process";
  }
  return "";
}

base::Duration handover_wait(uint8_t version, base::Duration advert_int) {
  const base::Duration unit = version == 3 ? advert_int : base::Duration(std::chrono::seconds(1));
  return unit * 255 / 256 + std::chrono::milliseconds(300);
}

const std::string& place_of(const VrrpInstance& instance, const VirtualAddress& address) {
  if (!address.device.empty()) return address.device;
  return instance.use_vmac ? instance.vmac_name : instance.interface;
}

const std::string& sends_on(const VrrpInstance& instance) {
  return instance.vmac_base ? instance.interface : hears_on(instance);
}

// A macvlan takes in every frame to the group, and none but it those that the other director sends with the same
// virtual router's MAC address. What is sent to the interface's own address stays there.
const std::string& hears_on(const VrrpInstance& instance) {
  return instance.use_vmac && instance.unicast_peers.empty() ? instance.vmac_name : instance.interface;
}

std::vector<VirtualAddress> VrrpInstance::all_addresses() const {
  std::vector<VirtualAddress> all = virtual_addresses;
  all.insert(all.end(), excluded_addresses.begin(), excluded_addresses.end());
  return all;
}

base::Duration Config::longest_handover() const {
  base::Duration longest{};
  for (const VrrpInstance& instance : vrrp_instances) {
    longest = std::max(longest, handover_wait(instance.version, instance.advert_int) + kVacateAfter);
  }
  return longest;
}

std::vector<std::string> Config::attached_interfaces() const {
  std::vector<std::string> all;
  auto add = [&](const std::string& interface) {
    if (std::ranges::find(all, interface) == all.end()) all.push_back(interface);
  };
  for (const VrrpInstance& instance : vrrp_instances) {
    add(instance.interface);
    for (const VirtualAddress& address : instance.all_addresses()) {
      if (!address.device.empty()) add(address.device);
    }
  }
  for (const std::string& interface : interfaces) add(interface);
  return all;
}

}  // namespace model
