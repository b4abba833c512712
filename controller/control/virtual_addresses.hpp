// SPDX-License-Identifier: Apache-2.0
// The virtual addresses on this host, as the control plane sees to them: those that have left the configuration or
// their interface, and all of them in the stead of a vrrp worker that is not there.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "control/network.hpp"
#include "dataplane/dataplane.hpp"
#include "ipc/messages.hpp"

namespace control {

class VirtualAddresses {
 public:
  // `farewell` sends priority 0 and takes the addresses off.
  using Instances = std::vector<ipc::VrrpAssignment>;
  using Farewell = std::function<base::Result<>(const Instances&)>;
  VirtualAddresses(dataplane::Dataplane& dataplane, Network& network, Farewell farewell)
      : dataplane_(dataplane), network_(network), farewell_(std::move(farewell)) {}

  // After the tables have changed: some may live elsewhere from now on, and still be where they were before.
  using Leases = std::map<base::Ip, model::LeaseEntry>;
  void changed_from(const Leases& before);

  // Interfaces other than lo that have one, or may have, configured or not any more. The program leaves them last.
  std::vector<netlink::Link> interfaces() const;

  // Takes off what is left of those that are not configured where they are. False: something would not come off.
  bool clear_up(const model::Config& config, std::set<base::Ip>& gone);
  // The same before any worker is started. None is to go on as MASTER where it was not.
  bool clear_up_after_earlier_run(const model::Config& config, std::set<base::Ip>& gone);

  // Says goodbye for those instances that are MASTER and whose lease ends before `back`; returns them.
  Instances resign(const Instances& instances, base::Time back);

  // The end: says goodbye for whoever is still MASTER, takes everything off, to lo what is served here. Returns those
  // that are surely gone from this host.
  std::set<base::Ip> give_up(const Instances& instances);

 private:
  bool clear_former_places();

  dataplane::Dataplane& dataplane_;
  Network& network_;
  Farewell farewell_;
  std::set<std::pair<uint32_t, base::Ip>> former_places_;  // interface and address
};

}  // namespace control
