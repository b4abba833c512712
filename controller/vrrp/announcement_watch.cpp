// SPDX-License-Identifier: Apache-2.0
#include "vrrp/announcement_watch.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace vrrp {
namespace {

constexpr size_t kSnap = 128;          // more than is looked at
constexpr int kReadsPerCallback = 64;  // then timers have their turn

// Where things are, from the first byte of the Ethernet header.
constexpr size_t kType = 12, kPayload = 14;
constexpr size_t kArpOperation = kPayload + 6, kArpSender = kPayload + 14, kArpEnd = kPayload + 28;
constexpr size_t kNextHeader = kPayload + 6, kIcmpType = kPayload + 40, kNaTarget = kIcmpType + 8,
                 kNaEnd = kNaTarget + 16;

uint16_t u16(std::span<const uint8_t> b, size_t at) {
  return static_cast<uint16_t>(b[at] << 8 | b[at + 1]);
}

// In the kernel, so that the traffic of a busy interface does not come here: ARP, and neighbour advertisements.
bool attach_filter(const base::Fd& socket) {
  std::array<sock_filter, 9> filter{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kType),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 5),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNextHeader),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kIcmpType),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kSnap),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  return setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

base::Result<base::Fd> open_socket(int ifindex) {
  // Protocol 0: nothing comes in before the filter is there.
  base::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::fail_errno("cannot open a packet socket to hear announcements");
  const int on = 1;
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_ifindex = ifindex;
  here.sll_protocol = htons(ETH_P_ALL);
  if (!attach_filter(socket) || setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    return base::fail_errno("cannot listen for announcements");
  }
  return socket;
}

}  // namespace

std::optional<base::Ip> announced_in(std::span<const uint8_t> b) {
  if (b.size() >= kArpEnd && u16(b, kType) == ETHERTYPE_ARP) {
    const uint16_t operation = u16(b, kArpOperation);
    if (u16(b, kPayload + 2) != ETHERTYPE_IP) return std::nullopt;
    if (operation != ARPOP_REQUEST && operation != ARPOP_REPLY) return std::nullopt;
    return base::Ip::from_network(&b[kArpSender], 4);
  }
  if (b.size() >= kNaEnd && u16(b, kType) == ETHERTYPE_IPV6) {
    if (b[kNextHeader] != IPPROTO_ICMPV6 || b[kIcmpType] != ND_NEIGHBOR_ADVERT) return std::nullopt;
    return base::Ip::from_network(&b[kNaTarget], 16);
  }
  return std::nullopt;
}

base::Result<std::unique_ptr<AnnouncementWatch>> AnnouncementWatch::open(loop::Loop& loop, int ifindex,
                                                                         std::set<base::Ip> addresses,
                                                                         OnAnnounced on_announced) {
  auto socket = open_socket(ifindex);
  if (!socket) return std::unexpected(socket.error());
  return std::unique_ptr<AnnouncementWatch>(
      new AnnouncementWatch(loop, *std::move(socket), std::move(addresses), std::move(on_announced)));
}

AnnouncementWatch::AnnouncementWatch(loop::Loop& loop, base::Fd socket, std::set<base::Ip> addresses,
                                     OnAnnounced on_announced)
    : socket_(std::move(socket)),
      addresses_(std::move(addresses)),
      on_announced_(std::move(on_announced)),
      watch_(loop, socket_.get(), loop::Watch::When::readable, [this] { read_waiting(); }) {}

void AnnouncementWatch::read_waiting() {
  std::set<base::Ip> heard;
  std::array<uint8_t, kSnap> frame{};
  for (int i = 0; i < kReadsPerCallback; ++i) {
    const ssize_t size = recv(socket_.get(), frame.data(), frame.size(), 0);
    if (size < 0) break;
    const auto ip = announced_in(std::span<const uint8_t>(frame).first(static_cast<size_t>(size)));
    if (ip && addresses_.contains(*ip)) heard.insert(*ip);
  }
  const OnAnnounced on_announced = on_announced_;  // from here on this may be gone
  for (const base::Ip& ip : heard) on_announced(ip);
}

}  // namespace vrrp
