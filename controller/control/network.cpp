// SPDX-License-Identifier: Apache-2.0
#include "control/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "netlink/addresses.hpp"
#include "netlink/routes.hpp"

namespace control {
namespace {

// A neighbour is asked for this often: the kernel answers from its table while it is sure, and revalidates then.
constexpr base::Duration kProbePeriod = std::chrono::seconds(5);
constexpr base::Duration kProbePeriodWhileUnknown = std::chrono::seconds(1);
constexpr base::Duration kGather = std::chrono::milliseconds(5);  // one change for a burst of events
constexpr base::Duration kReadAgain = std::chrono::seconds(1);    // after an error

}  // namespace

base::Result<std::unique_ptr<Network>> Network::start(loop::Loop& loop, std::function<void()> on_change) {
  base::Result<netlink::Socket> socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  std::unique_ptr<Network> network(new Network(loop, std::move(*socket), std::move(on_change)));
  Network* self = network.get();
  auto monitor = netlink::Monitor::start(
      loop, {.on_link = [self](netlink::Change change, const netlink::Link& link) { self->on_link(change, link); },
             .on_address = [self](netlink::Change, const netlink::Address&) { self->routes_may_have_moved(); },
             .on_neighbour = [self](netlink::Change, const netlink::Neighbour& n) { self->learn(n); },
             .on_resync = [self] { self->routes_may_have_moved(); }});
  if (!monitor) return std::unexpected(monitor.error());
  network->monitor_ = std::move(*monitor);
  if (auto done = network->read_all(); !done) return std::unexpected(done.error());
  return network;
}

Network::Network(loop::Loop& loop, netlink::Socket socket, std::function<void()> on_change)
    : socket_(std::move(socket)),
      on_change_(std::move(on_change)),
      probe_timer_(loop, [this] { probe_all(); }),
      change_timer_(loop, [this] { tell(); }) {}

base::Result<> Network::read_all() {
  auto links = netlink::links(socket_);
  if (!links) return std::unexpected(links.error());
  links_.clear();
  for (const netlink::Link& link : *links) links_[link.index] = link;
  auto neighbours = netlink::neighbours(socket_);
  if (!neighbours) return std::unexpected(neighbours.error());
  for (const base::Ip& address : watched_) find_route(address);
  for (const netlink::Neighbour& neighbour : *neighbours) learn(neighbour);
  return {};
}

std::vector<std::string> Network::problems(const model::Config& config) {
  std::vector<std::string> all;
  for (const std::string& interface : config.attached_interfaces()) {
    if (!link(interface)) all.push_back(fmt::format("interface \"{}\" does not exist on this host", interface));
  }
  for (const auto& some : {problems_of_real_servers(config), problems_of_peers(config)}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<std::string> Network::problems_of_real_servers(const model::Config& config) {
  std::vector<std::string> all;
  std::set<base::Ip> checked;
  bool wants_peers = !config.vrrp_instances.empty() && config.peer_directors.empty();
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) {
      if (!checked.insert(real.address).second) continue;
      const auto route = netlink::route_to(socket_, real.address);
      const std::string who = fmt::format("real server {} of \"{}\"", real.address.str(), server.name);
      if (!route) {
        all.push_back(fmt::format("{}: {}", who, route.error().message));
      } else if (!*route || !(*route)->direct) {
        all.push_back(
            who +
            " is not on a directly connected network: direct routing sends frames to its MAC address, so give this "
            "director an address in the real server's network, or use another real server");
      } else if ((*route)->local && std::exchange(wants_peers, false)) {
        all.push_back(
            who +
            " is an address of this director: name the other director by \"peer_directors\": [\"ADDRESS\"] at "
            "the top level, so that what it sends here is served here, and not sent back to it");
      }
    }
  }
  return all;
}

std::vector<std::string> Network::problems_of_peers(const model::Config& config) {
  std::vector<std::string> all;
  for (const base::Ip& peer : config.peer_directors) {
    const auto route = netlink::route_to(socket_, peer);
    const std::string who = "peer director " + peer.str();
    if (!route) {
      all.push_back(fmt::format("{}: {}", who, route.error().message));
    } else if (*route && (*route)->local) {
      all.push_back(who + " is an address of this director: give the other director's");
    } else if (!*route || !(*route)->direct) {
      all.push_back(who +
                    " is not on a directly connected network: a peer director is known by its MAC address; give its "
                    "address in a network that both are in");
    }
  }
  return all;
}

void Network::watch(const std::set<base::Ip>& addresses) {
  std::erase_if(next_hops_, [&](const auto& known) { return !addresses.contains(known.first); });
  std::erase_if(doubted_, [&](const base::Ip& address) { return !addresses.contains(address); });
  const bool more = !std::ranges::includes(watched_, addresses);
  watched_ = addresses;
  if (more) {
    if (auto done = read_all(); !done) base::log::error("{}", done.error().message);
  }
  probe_all();
}

void Network::remember(const base::Ip& address, const model::NextHop& next_hop) {
  const auto known = next_hops_.find(address);
  if (known == next_hops_.end() || known->second.mac) return;
  const std::optional<netlink::Link> now = link(known->second.ifindex);
  // A VLAN sub-interface's frames may have left by its parent.
  const bool same = known->second.ifindex == next_hop.ifindex ||
                    (now && now->vlan && static_cast<uint32_t>(now->vlan->parent) == next_hop.ifindex);
  if (same) known->second.mac = next_hop.mac;
}

void Network::doubt(const base::Ip& real_server) {
  const auto known = next_hops_.find(real_server);
  if (known == next_hops_.end() || known->second.local) return;
  doubted_.insert(real_server);
  static_cast<void>(netlink::revalidate(socket_, static_cast<int>(known->second.ifindex), real_server));
}

std::optional<netlink::Link> Network::link(const std::string& name) const {
  return find_link(links_, name);
}

std::optional<netlink::Link> Network::link(uint32_t ifindex) const {
  const auto found = links_.find(static_cast<int>(ifindex));
  return found == links_.end() ? std::nullopt : std::optional(found->second);
}

bool Network::remove_address(uint32_t ifindex, const base::Ip& address) {
  const auto whose = ifindex == netlink::kLoopback ? netlink::Whose::anyones : netlink::Whose::ours;
  return netlink::remove_address(socket_, static_cast<int>(ifindex), address, whose).has_value();
}

void Network::add_to_lo(const base::Ip& address) {
  const auto done = netlink::add_address(socket_, netlink::kLoopback, address);
  if (!done) base::log::error("{}", done.error().message);
}

// True: it is reached in another way than before.
bool Network::find_route(const base::Ip& address) {
  const auto route = netlink::route_to(socket_, address);
  if (!route || !*route || !(*route)->direct) return false;  // keep what we have: routes come and go with interfaces
  const auto link = links_.find((*route)->ifindex);
  if (link == links_.end()) return false;
  model::NextHop& next_hop = next_hops_[address];
  const model::NextHop before = next_hop;
  if ((*route)->local) {
    next_hop = {.ifindex = 0, .source = {}, .mac = std::nullopt, .local = true};
    return next_hop != before;
  }
  const auto ifindex = static_cast<uint32_t>((*route)->ifindex);
  if (next_hop.ifindex != ifindex) next_hop = {ifindex, link->second.mac, std::nullopt};
  next_hop.source = link->second.mac;
  return next_hop != before;
}

// A neighbour that the kernel has lost keeps its last MAC: a lost ARP answer must not stop a connection. Whether the
// real server is alive is for the health checks to say.
void Network::learn(const netlink::Neighbour& neighbour) {
  const auto known = next_hops_.find(neighbour.ip);
  if (known == next_hops_.end()) return;
  // Nobody has that MAC address any more: ask everybody, now instead of at the next turn.
  const bool answered = neighbour.state == netlink::NeighbourState::reachable;
  const bool lost = neighbour.state == netlink::NeighbourState::failed;
  const bool doubted = (answered || lost) && doubted_.erase(neighbour.ip) > 0;
  if (doubted && lost) static_cast<void>(netlink::probe(socket_, neighbour.ifindex, neighbour.ip));
  if (!neighbour.mac) return;
  model::NextHop& next_hop = known->second;
  if (next_hop.ifindex != static_cast<uint32_t>(neighbour.ifindex) || next_hop.mac == neighbour.mac) return;
  if (next_hop.mac) {
    base::log::info("{} has another MAC address: {}, before {}", neighbour.ip.str(), neighbour.mac->str(),
                    next_hop.mac->str());
  }
  next_hop.mac = neighbour.mac;
  changed();
}

void Network::on_link(netlink::Change change, const netlink::Link& link) {
  const auto known = links_.find(link.index);
  const bool same = known != links_.end() && known->second == link;
  if (change == netlink::Change::gone) {
    links_.erase(link.index);
  } else {
    links_[link.index] = link;
  }
  if (same && change == netlink::Change::present) return;
  routes_may_have_moved();
}

void Network::probe_all() {
  bool unknown = false;
  for (const base::Ip& address : watched_) {
    if (find_route(address)) {  // then the kernel may long know the MAC there, and has no news of it
      routes_may_have_moved();
    }
    const auto known = next_hops_.find(address);
    if (known == next_hops_.end()) continue;
    if (known->second.local) continue;
    unknown = unknown || !known->second.mac;
    static_cast<void>(netlink::probe(socket_, static_cast<int>(known->second.ifindex), address));
  }
  probe_timer_.start(unknown ? kProbePeriodWhileUnknown : kProbePeriod);
}

// With a link, or with an address, which may come after its link.
void Network::routes_may_have_moved() {
  routes_moved_ = true;
  changed();
}

void Network::changed() {
  if (!change_timer_.running()) change_timer_.start(kGather);
}

// Once for a burst of events, however many real servers and interfaces it concerns.
void Network::tell() {
  if (std::exchange(routes_moved_, false)) {
    if (auto done = read_all(); !done) {
      base::log::error("{}; trying again", done.error().message);
      routes_moved_ = true;
      change_timer_.start(kReadAgain);
    }
    probe_all();
  }
  on_change_();
}

std::set<base::Ip> Network::addresses() {
  std::set<base::Ip> all;
  const auto found = netlink::addresses(socket_);
  if (!found) return all;
  for (const netlink::Address& address : *found) all.insert(address.ip);
  return all;
}

}  // namespace control
