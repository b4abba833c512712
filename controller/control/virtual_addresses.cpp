// SPDX-License-Identifier: Apache-2.0
#include "control/virtual_addresses.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"
#include "control/assignments.hpp"

namespace control {
namespace {

// Where it may be, now or later.
std::vector<uint32_t> places_of(const model::LeaseEntry& lease) {
  if (lease.served_here) return {lease.ifindex, netlink::kLoopback};
  return {lease.ifindex};
}

}  // namespace

void VirtualAddresses::changed_from(const Leases& before) {
  for (const auto& [address, lease] : dataplane_.tables().leases) {
    const auto earlier = before.find(address);
    if (earlier == before.end()) continue;
    for (const uint32_t place : places_of(earlier->second)) former_places_.emplace(place, address);
    for (const uint32_t place : places_of(lease)) former_places_.erase({place, address});  // there, or back again
  }
}

std::vector<netlink::Link> VirtualAddresses::interfaces() const {
  std::set<uint32_t> indices;
  for (const auto& [address, lease] : dataplane_.tables().leases) indices.insert(lease.ifindex);
  for (const auto& [ifindex, address] : former_places_) indices.insert(ifindex);
  indices.erase(netlink::kLoopback);
  std::vector<netlink::Link> links;
  for (const uint32_t ifindex : indices) {
    if (const std::optional<netlink::Link> link = network_.link(ifindex)) links.push_back(*link);
  }
  return links;
}

bool VirtualAddresses::clear_former_places() {
  std::erase_if(former_places_, [&](const auto& place) { return network_.remove_address(place.first, place.second); });
  return former_places_.empty();
}

bool VirtualAddresses::clear_up(const model::Config& config, std::set<base::Ip>& gone) {
  std::set<base::Ip> configured;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    for (const model::VirtualAddress& address : instance.all_addresses()) configured.insert(address.ip);
  }
  bool all = clear_former_places();
  for (const auto& [address, lease] : dataplane_.tables().leases) {
    if (configured.contains(address)) continue;
    if (std::ranges::all_of(places_of(lease),
                            [&](uint32_t place) { return network_.remove_address(place, address); })) {
      gone.insert(address);
    } else {
      all = false;
    }
  }
  return all;
}

bool VirtualAddresses::clear_up_after_earlier_run(const model::Config& config, std::set<base::Ip>& gone) {
  for (const auto& [ifindex, address] : former_places_) {
    if (ifindex == netlink::kLoopback) continue;
    dataplane_.maps().end_lease(dataplane_.tables().leases.at(address).index);
  }
  return clear_up(config, gone);
}

VirtualAddresses::Instances VirtualAddresses::resign(const Instances& instances, base::Time back) {
  Instances lost =
      masters_until(back, instances, [this](uint32_t index) { return dataplane_.maps().lease_until(index); });
  if (lost.empty()) return {};
  for (const ipc::VrrpAssignment& assignment : lost) {
    for (const uint32_t index : assignment.lease) dataplane_.maps().end_lease(index);
  }
  if (auto done = farewell_(lost); !done) base::log::error("{}", done.error().message);
  return lost;
}

std::set<base::Ip> VirtualAddresses::give_up(const Instances& instances) {
  resign(instances, base::Time{std::numeric_limits<int64_t>::max()});
  clear_former_places();
  std::set<base::Ip> gone;
  for (const auto& [address, lease] : dataplane_.tables().leases) {
    dataplane_.maps().end_lease(lease.index);
    if (lease.served_here) {
      network_.add_to_lo(address);
      network_.remove_address(lease.ifindex, address);
    } else if (network_.remove_address(lease.ifindex, address)) {
      gone.insert(address);
    }
  }
  return gone;
}

}  // namespace control
