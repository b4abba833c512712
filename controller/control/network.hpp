// SPDX-License-Identifier: Apache-2.0
// What the kernel knows of interfaces and of the real servers' MAC addresses, kept fresh.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/host_check.hpp"
#include "model/tables.hpp"
#include "netlink/links.hpp"
#include "netlink/monitor.hpp"
#include "netlink/neighbours.hpp"
#include "netlink/socket.hpp"

namespace control {

class Network {
 public:
  // `on_change` when an interface or a watched neighbour is not what it was.
  static base::Result<std::unique_ptr<Network>> start(loop::Loop& loop, std::function<void()> on_change);

  // Errors of a configuration that only this host can see: an interface that does not exist, a real server or a peer
  // director that is not on a directly connected network. Empty: none.
  std::vector<std::string> problems(const model::Config& config);

  // What its interfaces cannot do, or do badly.
  HostFindings check(const model::Config& config, bool generic) {
    return check_host(config, links_, find_reach(socket_, config), generic);
  }

  // Follows these real servers and peer directors, and asks the kernel to resolve them now and again from now on.
  void watch(const std::set<base::Ip>& addresses);

  // A MAC that an earlier run knew: good until the kernel says otherwise.
  void remember(const base::Ip& address, const model::NextHop& next_hop);

  // It failed its checks: perhaps it has another MAC address by now, and nobody has told the kernel.
  void doubt(const base::Ip& real_server);

  const std::map<base::Ip, model::NextHop>& next_hops() const { return next_hops_; }
  const Links& links() const { return links_; }
  std::optional<netlink::Link> link(const std::string& name) const;
  std::optional<netlink::Link> link(uint32_t ifindex) const;

  std::set<base::Ip> addresses();  // this host's, now

  // Takes a virtual address off that a worker has left behind; one that somebody else has put there stays. On lo, where
  // addresses are that are served here, it is ours in any case. True: ours is not there any more.
  bool remove_address(uint32_t ifindex, const base::Ip& address);
  // Where a virtual address that is served here is to be found by the kernel while this director is not MASTER.
  void add_to_lo(const base::Ip& address);

 private:
  explicit Network(loop::Loop& loop, netlink::Socket socket, std::function<void()> on_change);

  base::Result<> read_all();
  std::vector<std::string> problems_of_real_servers(const model::Config& config);
  std::vector<std::string> problems_of_peers(const model::Config& config);
  void on_link(netlink::Change change, const netlink::Link& link);
  void learn(const netlink::Neighbour& neighbour);
  bool find_route(const base::Ip& address);
  void probe_all();
  void routes_may_have_moved();
  void changed();
  void tell();

  netlink::Socket socket_;
  std::function<void()> on_change_;
  std::unique_ptr<netlink::Monitor> monitor_;
  Links links_;
  std::set<base::Ip> watched_;
  std::set<base::Ip> doubted_;  // and not yet answered for
  std::map<base::Ip, model::NextHop> next_hops_;
  bool routes_moved_ = false;  // or may have: to be read anew
  loop::Timer probe_timer_, change_timer_;
};

}  // namespace control
