// SPDX-License-Identifier: Apache-2.0
// Interface: one network interface with VRRP instances or their addresses on it: its sockets, opened and closed as it
// comes and goes, and the addresses it has.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "netlink/addresses.hpp"
#include "netlink/links.hpp"
#include "vrrp/advert_socket.hpp"
#include "vrrp/announce.hpp"
#include "vrrp/announcement_queue.hpp"

namespace vrrp {

class Interface {
 public:
  using OnPacket = std::function<void(const Datagram&)>;

  // `netlink` must outlive the interface.
  Interface(loop::Loop& loop, netlink::Socket& netlink, std::string name);

  // Advertisements of that family (AF_INET, AF_INET6) come and go here, from the next refresh() on; `on_packet` hears
  // those of each. Without it there are only addresses.
  void listen(int family, OnPacket on_packet);

  // What is so now, as just read from the kernel. `link` is nullopt when there is no such interface;
  // `virtual_addresses` are those of all instances, which are never an interface's own.
  void refresh(const std::optional<netlink::Link>& link, const std::vector<netlink::Address>& addresses,
               const std::vector<base::Ip>& virtual_addresses);
  void read_waiting();  // packets that have come in already; never blocks

  const std::string& name() const { return name_; }
  int index() const { return link_ ? link_->index : 0; }
  const std::string& problem() const { return problem_; }  // why it cannot be used; empty: it can
  std::string problem(int family) const;                   // or cannot for advertisements of that family
  bool only_down() const { return link_ && announcer_ && !problem_.empty(); }
  std::optional<base::Ip> primary_address(int family) const;
  std::vector<Network> networks() const;
  bool has(const base::Ip& ip, uint8_t prefix_length) const;
  std::optional<netlink::Address> not_ours(const base::Ip& ip) const;  // that address, put there by somebody else
  bool has_another_mac() const { return has_another_mac_; }            // than before the last refresh

  base::Result<> send(const Datagram& datagram);
  base::Result<netlink::Added> add(const netlink::NewAddress& address);  // one that is not ours is left as it is
  base::Result<netlink::Removed> remove(const base::Ip& ip);             // what was put there by us, with any prefix
  base::Result<> announce(const base::Ip& ip, int times, base::Duration gap);

 private:
  struct Adverts {
    Adverts(AdvertSocket its_socket, loop::Loop& loop, loop::Watch::Callback on_readable)
        : socket(std::move(its_socket)),
          watch(loop, socket.fd(), loop::Watch::When::readable, std::move(on_readable)) {}
    AdvertSocket socket;
    loop::Watch watch;
  };
  // Of a family that is listened to.
  struct Channel {
    std::unique_ptr<Adverts> adverts;  // nullptr: could not be opened
    std::string problem;               // then why
  };
  void open_adverts();
  base::Result<> announce_once(const base::Ip& ip) const;
  std::string find_problem();

  loop::Loop& loop_;
  netlink::Socket& netlink_;
  std::string name_;
  OnPacket on_packet_;
  std::optional<netlink::Link> link_;
  std::vector<netlink::Address> addresses_;  // its own, and what add() and remove() have made of them since
  std::vector<base::Ip> virtual_addresses_;
  std::string problem_;
  bool has_another_mac_ = false;
  std::optional<Announcer> announcer_;
  AnnouncementQueue announcements_;
  std::map<int, Channel> channels_;  // by family
};

}  // namespace vrrp
