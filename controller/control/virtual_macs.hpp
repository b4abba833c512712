// SPDX-License-Identifier: Apache-2.0
// The macvlans of instances with use_vmac: made when such an instance is configured, adopted from an earlier run,
// removed when no address can be on them any more.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "control/attachment_plan.hpp"
#include "model/config.hpp"
#include "netlink/macvlan.hpp"

namespace control {

// 00:00:5e:00:01:VRID; 02 instead of 01 for IPv6.
base::Mac virtual_mac(const model::VrrpInstance& instance);

// The link-local address of an instance's macvlan, from that of the interface below it: the same again would be
// answered for twice, and one made of the virtual router's MAC address would be on every director.
base::Ip link_local(const model::VrrpInstance& instance, base::Mac below);

// What is to be done so that exactly the macvlans of the configuration exist. Pure.
struct VirtualMacPlan {
  struct LinkLocal {
    int ifindex = 0;
    base::Ip ip;
    friend bool operator==(const LinkLocal&, const LinkLocal&) = default;
  };
  std::vector<int> remove;  // before any is added: a name may be wanted again
  std::vector<netlink::NewMacvlan> add;
  std::vector<LinkLocal> addresses;   // of those that are there
  std::vector<std::string> problems;  // what an operator must see to
};

// `in_use`: the indices of those on which a virtual address may still be.
VirtualMacPlan plan_virtual_macs(const model::Config& config, const Links& links, const std::set<int>& in_use);

// Carries it out. What is wrong now, for people; empty: nothing. To be called again at every change of a link.
std::vector<std::string> hold_virtual_macs(const model::Config& config, const std::set<int>& in_use);

base::Result<> remove_virtual_macs();  // all of ours

}  // namespace control
