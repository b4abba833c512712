// SPDX-License-Identifier: Apache-2.0
// Interfaces: the network interfaces that instances use, by name: those they advertise on and those their addresses are
// on. What an instance does to the network goes through here.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "netlink/routes.hpp"
#include "vrrp/interface.hpp"
#include "vrrp/port.hpp"

namespace vrrp {

class Interfaces final : public Port {
 public:
  // `netlink` must outlive the interfaces.
  Interfaces(loop::Loop& loop, netlink::Socket& netlink) : loop_(loop), netlink_(netlink) {}

  Interface& at(const std::string& name);  // there from now on, though its sockets come with the next refresh()
  void keep_only(const std::set<std::string>& names);

  // What is so now, as just read from the kernel.
  void refresh(const std::vector<netlink::Link>& links, const std::vector<netlink::Address>& addresses,
               const std::vector<base::Ip>& virtual_addresses);
  bool concerns(int index, const std::string& name) const;  // a change of that interface
  // Why an instance cannot do its work; empty: it can.
  std::string problem_of(const model::VrrpInstance& instance) const;
  // What it sends advertisements from, unless the operator has said.
  std::optional<base::Ip> source_of(const model::VrrpInstance& instance) const;
  bool has_all_addresses_of(const model::VrrpInstance& instance) const;
  bool has_on_lo(const base::Ip& ip) const;  // this host has, that is

  base::Result<> send(const std::string& interface, const Datagram& datagram) override;
  base::Result<netlink::Added> add(const std::string& interface, const model::VirtualAddress& address) override;
  base::Result<netlink::Removed> remove(const std::string& interface, const model::VirtualAddress& address) override;
  base::Result<> announce(const std::string& interface, const model::VirtualAddress& address, int times,
                          base::Duration gap) override;
  base::Result<netlink::Added> add_route(const model::VirtualRoute& route) override;
  base::Result<netlink::Removed> remove_route(const model::VirtualRoute& route) override;
  base::Result<netlink::Added> add_to_lo(const base::Ip& ip) override;
  base::Result<netlink::Removed> remove_from_lo(const base::Ip& ip) override;

 private:
  const Interface* find(const std::string& name) const;
  base::Result<netlink::NewRoute> to_new_route(const model::VirtualRoute& route);

  loop::Loop& loop_;
  netlink::Socket& netlink_;
  std::map<std::string, Interface> all_;
  std::vector<base::Ip> on_lo_;  // as /32 or /128
};

}  // namespace vrrp
