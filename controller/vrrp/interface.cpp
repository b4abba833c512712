// SPDX-License-Identifier: Apache-2.0
#include "vrrp/interface.hpp"

#include <algorithm>
#include <iterator>

#include "netlink/sysctl.hpp"

namespace vrrp {
namespace {

constexpr int kReadsPerCallback = 64;  // then timers have their turn: a flood must not delay advertisements

}  // namespace

Interface::Interface(loop::Loop& loop, netlink::Socket& netlink, std::string name)
    : loop_(loop),
      netlink_(netlink),
      name_(std::move(name)),
      announcements_(loop, [this](const base::Ip& ip) { return announce_once(ip); }) {}

void Interface::refresh(const std::optional<netlink::Link>& link, const std::vector<netlink::Address>& addresses,
                        const std::vector<base::Ip>& virtual_addresses) {
  const bool another = !link || !link_ || link->index != link_->index;  // an interface of the same name, made anew
  if (another) {
    announcements_.clear();
    announcer_.reset();
    for (auto& [family, channel] : channels_) channel.adverts.reset();
  }
  has_another_mac_ = !another && link->mac != link_->mac;
  link_ = link;
  addresses_.clear();
  std::ranges::copy_if(addresses, std::back_inserter(addresses_), [&](auto& a) { return a.ifindex == index(); });
  virtual_addresses_ = virtual_addresses;
  problem_ = find_problem();
}

void Interface::listen(int family, OnPacket on_packet) {
  channels_.try_emplace(family);
  on_packet_ = std::move(on_packet);
}

std::string Interface::find_problem() {
  if (!link_) return name_ + " does not exist";
  if (!announcer_) {
    auto opened = Announcer::open(link_->index);
    if (!opened) return opened.error().message;
    announcer_ = *std::move(opened);
  }
  open_adverts();
  if (!link_->up) return name_ + " is down";
  if (!link_->running) return name_ + " has no carrier";
  return {};
}

std::string Interface::problem(int family) const {
  const auto channel = channels_.find(family);
  if (!problem_.empty() || channel == channels_.end()) return problem_;
  return channel->second.problem;
}

void Interface::open_adverts() {
  for (auto& [family, channel] : channels_) {
    if (channel.adverts) continue;
    auto socket = AdvertSocket::open(link_->index, name_, family);
    channel.problem = socket ? "" : socket.error().message;
    if (socket) channel.adverts = std::make_unique<Adverts>(*std::move(socket), loop_, [this] { read_waiting(); });
  }
}

void Interface::read_waiting() {
  for (const auto& [family, channel] : channels_) {
    for (int i = 0; channel.adverts && i < kReadsPerCallback; ++i) {
      const auto packet = channel.adverts->socket.receive();
      if (!packet) break;
      on_packet_(*packet);
    }
  }
}

std::optional<base::Ip> Interface::primary_address(int family) const {
  return netlink::primary_address(addresses_, index(), family, virtual_addresses_);
}

std::vector<Network> Interface::networks() const {
  std::vector<Network> all;
  all.reserve(addresses_.size());
  for (const netlink::Address& address : addresses_) all.push_back({address.ip, address.prefix_length});
  return all;
}

bool Interface::has(const base::Ip& ip, uint8_t prefix_length) const {
  return std::ranges::any_of(addresses_, [&](const auto& a) { return a.ip == ip && a.prefix_length == prefix_length; });
}

std::optional<netlink::Address> Interface::not_ours(const base::Ip& ip) const {
  const auto found = std::ranges::find_if(addresses_, [&](const auto& a) { return a.ip == ip && !a.ours; });
  return found == addresses_.end() ? std::nullopt : std::optional(*found);
}

base::Result<> Interface::send(const Datagram& datagram) {
  const int family = datagram.destination.family();
  const auto channel = channels_.find(family);
  if (channel == channels_.end() || !channel->second.adverts) {
    return base::fail("cannot send an advertisement: " + problem(family));
  }
  return channel->second.adverts->socket.send(datagram);
}

base::Result<netlink::Added> Interface::add(const netlink::NewAddress& address) {
  if (!link_) return base::fail("cannot add " + address.ip.str() + ": " + problem_);
  if (not_ours(address.ip)) return netlink::Added::before;
  const auto added = netlink::add_address(netlink_, link_->index, address);
  if (added && *added == netlink::Added::now) {
    addresses_.push_back(
        {.ifindex = link_->index, .ip = address.ip, .prefix_length = address.prefix_length, .ours = true});
  }
  return added;
}

base::Result<netlink::Removed> Interface::remove(const base::Ip& ip) {
  static_cast<void>(announcements_.add(ip, 0, {}));
  auto removed = netlink::Removed::before;
  base::Result<> done;
  std::erase_if(addresses_, [&](const netlink::Address& address) {
    if (address.ip != ip || !address.ours) return false;
    const auto one = netlink::remove_address(netlink_, address);
    if (!one) done = std::unexpected(one.error());
    if (one && *one == netlink::Removed::now) removed = netlink::Removed::now;
    return one.has_value();
  });
  if (!done) return std::unexpected(done.error());
  return removed;
}

base::Result<> Interface::announce(const base::Ip& ip, int times, base::Duration gap) {
  return announcements_.add(ip, times, gap);
}

base::Result<> Interface::announce_once(const base::Ip& ip) const {
  if (!announcer_) return base::fail("cannot announce " + ip.str() + ": " + problem_);
  const bool router = ip.is_v6() && netlink::ipv6_conf(name_, "forwarding").value_or(0) != 0;
  return announcer_->announce(link_->mac, ip, router);
}

}  // namespace vrrp
