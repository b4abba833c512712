// SPDX-License-Identifier: Apache-2.0
#include "vrrp/advert_socket.hpp"

#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "vrrp/packet.hpp"

namespace vrrp {
namespace {

template <typename T>
bool set(const base::Fd& socket, int level, int option, const T& value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

base::Result<base::Fd> open_raw(int protocol, const std::string& interface) {
  base::Fd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!socket) return base::fail_errno("cannot open a raw socket for VRRP");
  if (setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                 static_cast<socklen_t>(interface.size() + 1)) != 0) {
    return base::fail_errno("cannot bind a VRRP socket to " + interface);
  }
  return socket;
}

// The sender is an IPPROTO_RAW socket: it brings its own IP header and receives nothing, not even forged ICMP errors
// about its packets, which would make a later send fail.
base::Result<base::Fd> open_sender(int ifindex, const std::string& interface) {
  auto socket = open_raw(IPPROTO_RAW, interface);
  if (!socket) return socket;
  ip_mreqn out{};
  out.imr_ifindex = ifindex;
  const bool done = set(*socket, IPPROTO_IP, IP_MULTICAST_IF, out) && set(*socket, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
                    set(*socket, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL) &&
                    set(*socket, IPPROTO_IP, IP_RECVERR, 1);  // else a raw socket hides that a full queue dropped it
  if (!done) return base::fail_errno("cannot set up VRRP's sending socket on " + interface);
  return socket;
}

base::Result<base::Fd> open_receiver(int ifindex, const std::string& interface) {
  auto socket = open_raw(kProtocol, interface);
  if (!socket) return socket;
  ip_mreqn group{};
  group.imr_multiaddr.s_addr = kGroup.network();
  group.imr_ifindex = ifindex;
  if (!set(*socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, group)) {
    return base::fail_errno("cannot join " + kGroup.str() + " on " + interface);
  }
  return socket;
}

}  // namespace

base::Result<AdvertSocket> AdvertSocket::open(int ifindex, const std::string& name) {
  auto sender = open_sender(ifindex, name);
  if (!sender) return std::unexpected(sender.error());
  auto receiver = open_receiver(ifindex, name);
  if (!receiver) return std::unexpected(receiver.error());
  return AdvertSocket(*std::move(sender), *std::move(receiver));
}

base::Result<> AdvertSocket::send(const Datagram& datagram) const {
  const std::vector<uint8_t> packet = encode_ip(datagram);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = datagram.destination.v4().network();
  if (sendto(sender_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
    return base::fail_errno("cannot send an advertisement");
  }
  return {};
}

std::optional<Datagram> AdvertSocket::receive() {
  for (;;) {
    const ssize_t size = recv(receiver_.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    const auto datagram = decode_ipv4(std::span<const uint8_t>(buffer_).first(static_cast<size_t>(size)));
    if (datagram) return *datagram;  // whatever else passed the kernel says nothing to us
  }
}

}  // namespace vrrp
