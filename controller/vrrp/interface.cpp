// SPDX-License-Identifier: Apache-2.0
#include "vrrp/interface.hpp"

#include <algorithm>

namespace vrrp {
namespace {

constexpr int kReadsPerCallback = 64;  // then timers have their turn: a flood must not delay advertisements

std::vector<base::Ip> host_addresses(const std::vector<netlink::Address>& addresses, int ifindex) {
  std::vector<base::Ip> all;
  for (const netlink::Address& address : addresses) {
    const bool host = address.prefix_length == address.ip.bits();
    if (address.ifindex == ifindex && host) all.push_back(address.ip);
  }
  return all;
}

}  // namespace

Interface::Interface(loop::Loop& loop, netlink::Socket& netlink, std::string name, OnPacket on_packet)
    : loop_(loop), netlink_(netlink), name_(std::move(name)), on_packet_(std::move(on_packet)) {}

void Interface::refresh(const std::optional<netlink::Link>& link, const std::vector<netlink::Address>& addresses,
                        const std::vector<base::Ip>& virtual_addresses) {
  const bool another = !link || !link_ || link->index != link_->index;  // an interface of the same name, made anew
  if (another) {
    watch_.reset();
    sockets_.reset();
  }
  has_another_mac_ = !another && link->mac != link_->mac;
  link_ = link;
  primary_address_ = netlink::primary_address(addresses, index(), virtual_addresses);
  host_addresses_ = host_addresses(addresses, index());
  host_addresses_of_lo_ = host_addresses(addresses, netlink::kLoopback);
  problem_ = find_problem();
}

std::string Interface::find_problem() {
  if (!link_) return name_ + " does not exist";
  if (!sockets_) {
    if (const auto opened = open_sockets(); !opened) return opened.error().message;
  }
  if (!link_->up) return name_ + " is down";
  if (!link_->running) return name_ + " has no carrier";
  return {};
}

base::Result<> Interface::open_sockets() {
  auto adverts = AdvertSocket::open(link_->index, name_);
  if (!adverts) return std::unexpected(adverts.error());
  auto announcer = Announcer::open(link_->index);
  if (!announcer) return std::unexpected(announcer.error());
  sockets_.emplace(*std::move(adverts), *std::move(announcer));
  watch_.emplace(loop_, sockets_->adverts.fd(), loop::Watch::When::readable, [this] { read_waiting(); });
  return {};
}

void Interface::read_waiting() {
  for (int i = 0; sockets_ && i < kReadsPerCallback; ++i) {
    const auto packet = sockets_->adverts.receive();
    if (!packet) return;
    on_packet_(*packet);
  }
}

bool Interface::has(const model::VirtualAddress& address) const {
  return std::ranges::find(host_addresses_, address.ip) != host_addresses_.end();
}

bool Interface::has_on_lo(const base::Ip& ip) const {
  return std::ranges::find(host_addresses_of_lo_, ip) != host_addresses_of_lo_.end();
}

base::Result<> Interface::send(const Datagram& datagram) {
  if (!sockets_) return base::fail("cannot send an advertisement: " + problem_);
  return sockets_->adverts.send(datagram);
}

base::Result<netlink::Added> Interface::add(const model::VirtualAddress& address) {
  if (!link_) return base::fail("cannot add " + address.ip.str() + ": " + problem_);
  return netlink::add_address(netlink_, link_->index, address.ip);
}

base::Result<netlink::Removed> Interface::remove(const model::VirtualAddress& address) {
  if (!link_) return netlink::Removed::before;
  return netlink::remove_address(netlink_, link_->index, address.ip);
}

base::Result<netlink::Added> Interface::add_to_lo(const base::Ip& ip) {
  return netlink::add_address(netlink_, netlink::kLoopback, ip);
}

base::Result<netlink::Removed> Interface::remove_from_lo(const base::Ip& ip) {
  return netlink::remove_address(netlink_, netlink::kLoopback, ip);
}

base::Result<> Interface::announce(const model::VirtualAddress& address, int times) {
  if (!sockets_) return base::fail("cannot announce " + address.ip.str() + ": " + problem_);
  return sockets_->announcer.announce(link_->mac, address.ip, times);
}

}  // namespace vrrp
