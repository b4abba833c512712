// SPDX-License-Identifier: Apache-2.0
#include "vrrp/farewell.hpp"

#include "netlink/addresses.hpp"
#include "netlink/links.hpp"
#include "vrrp/advert_socket.hpp"
#include "vrrp/packet.hpp"
#include "vrrp/state_machine.hpp"

namespace vrrp {
namespace {

class Farewell {
 public:
  explicit Farewell(netlink::Socket& netlink) : netlink_(netlink) {}

  void say(const ipc::VrrpAssignment& assignment) {
    const model::VrrpInstance& instance = assignment.instance;
    for (const base::Ip& ip : assignment.served_here) {
      const auto added = netlink::add_address(netlink_, netlink::kLoopback, ip);
      if (!added) note(instance, added.error());
    }
    const auto link = netlink::find_link(netlink_, instance.interface);
    if (!link) return note(instance, link.error());
    if (!*link) return;  // and with the interface went its addresses
    resign(instance, (*link)->index);
    for (const model::VirtualAddress& address : instance.all_addresses()) remove(instance, address);
  }

  base::Result<> result() const {
    if (problems_.empty()) return {};
    return base::fail(problems_);
  }

 private:
  void resign(const model::VrrpInstance& instance, int ifindex) {
    const auto source = source_of(instance, ifindex);
    if (!source) return note(instance, source.error());
    const auto socket = AdvertSocket::open(ifindex, instance.interface, source->family());
    if (!socket) return note(instance, socket.error());
    for (const base::Ip& destination : destinations(instance)) {
      const std::vector<uint8_t> message = encode(instance, kResign, *source, destination);
      const auto sent = socket->send(
          {.source = *source, .destination = destination, .hop_limit = hop_limit(instance), .message = message});
      if (!sent) note(instance, sent.error());
    }
  }

  void remove(const model::VrrpInstance& instance, const model::VirtualAddress& address) {
    const auto place = netlink::find_link(netlink_, place_of(instance, address));
    if (!place) return note(instance, place.error());
    if (!*place) return;
    const auto removed = netlink::remove_address(netlink_, (*place)->index, address.ip, netlink::Whose::ours);
    if (!removed) note(instance, removed.error());
  }

  base::Result<base::Ip> source_of(const model::VrrpInstance& instance, int ifindex) {
    if (instance.source != base::Ip()) return instance.source;
    const auto addresses = netlink::addresses(netlink_);
    if (!addresses) return std::unexpected(addresses.error());
    const auto primary = netlink::primary_address(*addresses, ifindex, family_of(instance));
    if (!primary) return base::fail(instance.interface + " has no address to send from");
    return *primary;
  }

  void note(const model::VrrpInstance& instance, const base::Error& error) {
    problems_ += (problems_.empty() ? "" : "; ") + instance.name + ": " + error.message;
  }

  netlink::Socket& netlink_;
  std::string problems_;
};

}  // namespace

base::Result<> farewell(const std::vector<ipc::VrrpAssignment>& instances) {
  auto netlink = netlink::Socket::open();
  if (!netlink) return std::unexpected(netlink.error());
  Farewell farewell(*netlink);
  for (const ipc::VrrpAssignment& assignment : instances) farewell.say(assignment);
  return farewell.result();
}

}  // namespace vrrp
