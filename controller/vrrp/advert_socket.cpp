// SPDX-License-Identifier: Apache-2.0
#include "vrrp/advert_socket.hpp"

#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "vrrp/packet.hpp"

namespace vrrp {
namespace {

template <typename T>
bool set(const base::Fd& socket, int level, int option, const T& value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

base::Result<base::Fd> open_raw(int family, int protocol, const std::string& interface) {
  base::Fd socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!socket) return base::fail_errno("cannot open a raw socket for VRRP");
  if (setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                 static_cast<socklen_t>(interface.size() + 1)) != 0) {
    return base::fail_errno("cannot bind a VRRP socket to " + interface);
  }
  return socket;
}

// RECVERR: else a raw socket hides that a full queue dropped a packet.
bool set_up_ipv4_sender(const base::Fd& socket, int ifindex) {
  ip_mreqn out{};
  out.imr_ifindex = ifindex;
  return set(socket, IPPROTO_IP, IP_MULTICAST_IF, out) && set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
         set(socket, IPPROTO_IP, IP_RECVERR, 1);
}

bool set_up_ipv6_sender(const base::Fd& socket, int ifindex) {
  return set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex) && set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
         set(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

// The sender is an IPPROTO_RAW socket: it brings its own IP header and receives nothing, not even forged ICMP errors
// about its packets, which would make a later send fail.
base::Result<base::Fd> open_sender(int ifindex, const std::string& interface, int family) {
  auto socket = open_raw(family, IPPROTO_RAW, interface);
  if (!socket) return socket;
  const bool done =
      (family == AF_INET6 ? set_up_ipv6_sender(*socket, ifindex) : set_up_ipv4_sender(*socket, ifindex)) &&
      set(*socket, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL);
  if (!done) return base::fail_errno("cannot set up VRRP's sending socket on " + interface);
  return socket;
}

bool join_ipv4(const base::Fd& socket, int ifindex) {
  ip_mreqn group{};
  group.imr_multiaddr.s_addr = kGroup.network();
  group.imr_ifindex = ifindex;
  return set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
}

// The receiver does not get the IPv6 header: the kernel tells destination and hop limit beside the packet.
bool join_ipv6(const base::Fd& socket, int ifindex) {
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, kGroup6.bytes().data(), sizeof group.ipv6mr_multiaddr);
  group.ipv6mr_interface = static_cast<unsigned>(ifindex);
  return set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
         set(socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, group);
}

base::Result<base::Fd> open_receiver(int ifindex, const std::string& interface, int family) {
  auto socket = open_raw(family, kProtocol, interface);
  if (!socket) return socket;
  if (family == AF_INET ? join_ipv4(*socket, ifindex) : join_ipv6(*socket, ifindex)) return socket;
  const std::string group = family == AF_INET ? kGroup.str() : kGroup6.str();
  // Without IPv6 on an interface the kernel only says "invalid argument".
  if (family == AF_INET6 && errno == EINVAL) return base::fail("IPv6 is switched off on " + interface);
  return base::fail_errno("cannot join " + group + " on " + interface);
}

socklen_t fill(sockaddr_storage& address, const base::Ip& ip, int ifindex) {
  if (!ip.is_v6()) {
    auto& to = reinterpret_cast<sockaddr_in&>(address);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = ip.v4().network();
    return sizeof to;
  }
  auto& to = reinterpret_cast<sockaddr_in6&>(address);
  to.sin6_family = AF_INET6;
  to.sin6_scope_id = static_cast<uint32_t>(ifindex);
  std::memcpy(&to.sin6_addr, ip.bytes().data(), sizeof to.sin6_addr);
  return sizeof to;
}

base::Ip ip_of(const in6_addr& address) {
  return base::Ip::from_network(&address, sizeof address).value_or(base::Ip());
}

void take_ancillary(msghdr& header, Datagram& datagram) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != IPPROTO_IPV6) continue;
    if (c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      datagram.destination = ip_of(info.ipi6_addr);
    } else if (c->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(c), sizeof hops);
      datagram.hop_limit = static_cast<uint8_t>(hops);
    }
  }
}

}  // namespace

base::Result<AdvertSocket> AdvertSocket::open(int ifindex, const std::string& name, int family) {
  auto sender = open_sender(ifindex, name, family);
  if (!sender) return std::unexpected(sender.error());
  auto receiver = open_receiver(ifindex, name, family);
  if (!receiver) return std::unexpected(receiver.error());
  return AdvertSocket(*std::move(sender), *std::move(receiver), ifindex, family);
}

base::Result<> AdvertSocket::send(const Datagram& datagram) const {
  const std::vector<uint8_t> packet = encode_ip(datagram);
  sockaddr_storage to{};
  const socklen_t size = fill(to, datagram.destination, ifindex_);
  if (sendto(sender_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), size) < 0) {
    const std::string to_whom = base::is_multicast(datagram.destination) ? "" : " to " + datagram.destination.str();
    return base::fail_errno("cannot send an advertisement" + to_whom);
  }
  return {};
}

std::optional<Datagram> AdvertSocket::receive() {
  return family_ == AF_INET6 ? receive_ipv6() : receive_ipv4();
}

std::optional<Datagram> AdvertSocket::receive_ipv4() {
  for (;;) {
    const ssize_t size = recv(receiver_.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    const auto datagram = decode_ipv4(std::span<const uint8_t>(buffer_).first(static_cast<size_t>(size)));
    if (datagram) return *datagram;  // whatever else passed the kernel says nothing to us
  }
}

std::optional<Datagram> AdvertSocket::receive_ipv6() {
  sockaddr_in6 from{};
  alignas(cmsghdr) std::array<char, 256> ancillary{};
  iovec data{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.data();
  header.msg_controllen = ancillary.size();
  ssize_t size = 0;
  do size = recvmsg(receiver_.get(), &header, 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return std::nullopt;
  Datagram datagram{.source = ip_of(from.sin6_addr),
                    .destination = {},
                    .message = std::span<const uint8_t>(buffer_).first(static_cast<size_t>(size))};
  take_ancillary(header, datagram);
  return datagram;
}

}  // namespace vrrp
