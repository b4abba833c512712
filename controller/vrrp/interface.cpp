// SPDX-License-Identifier: Apache-2.0
#include "vrrp/interface.hpp"

#include <algorithm>
#include <iterator>

namespace vrrp {
namespace {

constexpr int kReadsPerCallback = 64;  // then timers have their turn: a flood must not delay advertisements

}  // namespace

Interface::Interface(loop::Loop& loop, netlink::Socket& netlink, std::string name)
    : loop_(loop), netlink_(netlink), name_(std::move(name)) {}

void Interface::refresh(const std::optional<netlink::Link>& link, const std::vector<netlink::Address>& addresses,
                        const std::vector<base::Ip>& virtual_addresses) {
  const bool another = !link || !link_ || link->index != link_->index;  // an interface of the same name, made anew
  if (another) {
    watch_.reset();
    sockets_.reset();
  }
  has_another_mac_ = !another && link->mac != link_->mac;
  link_ = link;
  addresses_.clear();
  std::ranges::copy_if(addresses, std::back_inserter(addresses_), [&](auto& a) { return a.ifindex == index(); });
  virtual_addresses_ = virtual_addresses;
  problem_ = find_problem();
}

std::string Interface::find_problem() {
  if (!link_) return name_ + " does not exist";
  if (!sockets_ || (on_packet_ && !sockets_->adverts)) {
    if (const auto opened = open_sockets(); !opened) return opened.error().message;
  }
  if (!link_->up) return name_ + " is down";
  if (!link_->running) return name_ + " has no carrier";
  return {};
}

base::Result<> Interface::open_sockets() {
  auto announcer = Announcer::open(link_->index);
  if (!announcer) return std::unexpected(announcer.error());
  Sockets sockets{.adverts = std::nullopt, .announcer = *std::move(announcer)};
  if (on_packet_) {
    auto adverts = AdvertSocket::open(link_->index, name_);
    if (!adverts) return std::unexpected(adverts.error());
    sockets.adverts = *std::move(adverts);
  }
  sockets_ = std::move(sockets);
  if (!on_packet_) return {};
  watch_.emplace(loop_, sockets_->adverts->fd(), loop::Watch::When::readable, [this] { read_waiting(); });
  return {};
}

void Interface::read_waiting() {
  for (int i = 0; sockets_ && sockets_->adverts && i < kReadsPerCallback; ++i) {
    const auto packet = sockets_->adverts->receive();
    if (!packet) return;
    on_packet_(*packet);
  }
}

std::optional<base::Ip> Interface::primary_address(int family) const {
  return netlink::primary_address(addresses_, index(), family, virtual_addresses_);
}

bool Interface::has(const base::Ip& ip, uint8_t prefix_length) const {
  return std::ranges::any_of(addresses_, [&](const auto& a) { return a.ip == ip && a.prefix_length == prefix_length; });
}

std::optional<netlink::Address> Interface::not_ours(const base::Ip& ip) const {
  const auto found = std::ranges::find_if(addresses_, [&](const auto& a) { return a.ip == ip && !a.ours; });
  return found == addresses_.end() ? std::nullopt : std::optional(*found);
}

base::Result<> Interface::send(const Datagram& datagram) {
  if (!sockets_ || !sockets_->adverts) return base::fail("cannot send an advertisement: " + problem_);
  return sockets_->adverts->send(datagram);
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

base::Result<> Interface::announce(const base::Ip& ip, int times) {
  if (!sockets_) return base::fail("cannot announce " + ip.str() + ": " + problem_);
  return sockets_->announcer.announce(link_->mac, ip, times);
}

}  // namespace vrrp
