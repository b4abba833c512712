// SPDX-License-Identifier: Apache-2.0
// Interface: one network interface with VRRP instances on it: its sockets, opened and closed as it comes and goes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "netlink/links.hpp"
#include "vrrp/advert_socket.hpp"
#include "vrrp/announce.hpp"
#include "vrrp/port.hpp"

namespace vrrp {

class Interface final : public Port {
 public:
  using OnPacket = std::function<void(const Datagram&)>;

  // `netlink` must outlive the interface.
  Interface(loop::Loop& loop, netlink::Socket& netlink, std::string name, OnPacket on_packet);

  // What is so now, as just read from the kernel. `link` is nullopt when there is no such interface;
  // `virtual_addresses` are those of all instances, which are never an interface's own.
  void refresh(const std::optional<netlink::Link>& link, const std::vector<netlink::Address>& addresses,
               const std::vector<base::Ip>& virtual_addresses);
  void read_waiting();  // packets that have come in already; never blocks

  const std::string& name() const { return name_; }
  int index() const { return link_ ? link_->index : 0; }
  const std::string& problem() const { return problem_; }  // why it cannot be used; empty: it can
  const std::optional<base::Ip>& primary_address() const { return primary_address_; }
  bool has(const model::VirtualAddress& address) const;
  bool has_on_lo(const base::Ip& ip) const;                  // this host has, that is
  bool has_another_mac() const { return has_another_mac_; }  // than before the last refresh

  base::Result<> send(const Datagram& datagram) override;
  base::Result<netlink::Added> add(const model::VirtualAddress& address) override;
  base::Result<netlink::Removed> remove(const model::VirtualAddress& address) override;
  base::Result<netlink::Added> add_to_lo(const base::Ip& ip) override;
  base::Result<netlink::Removed> remove_from_lo(const base::Ip& ip) override;
  base::Result<> announce(const model::VirtualAddress& address, int times) override;

 private:
  struct Sockets {
    AdvertSocket adverts;
    Announcer announcer;
  };
  base::Result<> open_sockets();
  std::string find_problem();

  loop::Loop& loop_;
  netlink::Socket& netlink_;
  std::string name_;
  OnPacket on_packet_;
  std::optional<netlink::Link> link_;
  std::optional<base::Ip> primary_address_;
  std::vector<base::Ip> host_addresses_, host_addresses_of_lo_;
  std::string problem_;
  bool has_another_mac_ = false;
  std::optional<Sockets> sockets_;
  std::optional<loop::Watch> watch_;
};

}  // namespace vrrp
