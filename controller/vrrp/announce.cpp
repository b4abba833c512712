// SPDX-License-Identifier: Apache-2.0
#include "vrrp/announce.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <sys/socket.h>

#include <cstring>

namespace vrrp {
namespace {

struct Frame {
  ether_header ethernet;
  ether_arp arp;
};
static_assert(sizeof(Frame) == sizeof(ArpFrame));

struct NeighbourMessage {
  nd_neighbor_advert advert;
  nd_opt_hdr option;
  std::array<uint8_t, ETH_ALEN> mac;
};

struct [[gnu::packed]] Frame6 {
  ether_header ethernet;
  ip6_hdr ip;
  NeighbourMessage message;
};
static_assert(sizeof(Frame6) == sizeof(NeighbourFrame));

constexpr base::Mac kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr base::Ip kAllNodes{base::Ip::Bytes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

ether_header ethernet(base::Mac to, base::Mac from, uint16_t type) {
  ether_header header{};
  std::memcpy(header.ether_dhost, to.bytes().data(), ETH_ALEN);
  std::memcpy(header.ether_shost, from.bytes().data(), ETH_ALEN);
  header.ether_type = htons(type);
  return header;
}

// With the pseudo-header of RFC 8200.
uint16_t checksum(const base::Ip& source, const base::Ip& destination, const NeighbourMessage& message) {
  std::array<uint8_t, sizeof message> bytes{};
  std::memcpy(bytes.data(), &message, bytes.size());
  uint32_t sum = IPPROTO_ICMPV6 + bytes.size();
  auto add = [&sum](std::span<const uint8_t> words) {
    for (size_t i = 0; i + 1 < words.size(); i += 2) sum += static_cast<uint32_t>(words[i] << 8 | words[i + 1]);
  };
  add(source.bytes());
  add(destination.bytes());
  add(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<uint16_t>(~sum));
}

}  // namespace

ArpFrame gratuitous_arp(base::Mac own, base::Ipv4 ip) {
  const uint32_t address = ip.network();
  Frame frame{.ethernet = ethernet(base::kBroadcastMac, own, ETHERTYPE_ARP), .arp = {}};
  frame.arp.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
                      .ar_pro = htons(ETHERTYPE_IP),
                      .ar_hln = ETH_ALEN,
                      .ar_pln = sizeof address,
                      .ar_op = htons(ARPOP_REQUEST)};
  std::memcpy(frame.arp.arp_sha, own.bytes().data(), ETH_ALEN);
  std::memcpy(frame.arp.arp_spa, &address, sizeof address);
  std::memcpy(frame.arp.arp_tha, base::kBroadcastMac.bytes().data(), ETH_ALEN);
  std::memcpy(frame.arp.arp_tpa, &address, sizeof address);
  ArpFrame bytes{};
  std::memcpy(bytes.data(), &frame, bytes.size());
  return bytes;
}

NeighbourFrame unsolicited_neighbour_advertisement(base::Mac own, const base::Ip& ip, bool router) {
  NeighbourMessage message{};
  message.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
  message.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE | (router ? ND_NA_FLAG_ROUTER : 0);
  std::memcpy(&message.advert.nd_na_target, ip.bytes().data(), sizeof message.advert.nd_na_target);
  message.option = {.nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1};  // in units of 8 bytes
  message.mac = own.bytes();
  message.advert.nd_na_cksum = checksum(ip, kAllNodes, message);
  Frame6 frame{.ethernet = ethernet(kAllNodesMac, own, ETHERTYPE_IPV6), .ip = {}, .message = message};
  frame.ip.ip6_flow = htonl(6U << 28);
  frame.ip.ip6_plen = htons(sizeof message);
  frame.ip.ip6_nxt = IPPROTO_ICMPV6;
  frame.ip.ip6_hlim = 255;
  std::memcpy(&frame.ip.ip6_src, ip.bytes().data(), sizeof frame.ip.ip6_src);
  std::memcpy(&frame.ip.ip6_dst, kAllNodes.bytes().data(), sizeof frame.ip.ip6_dst);
  NeighbourFrame bytes{};
  std::memcpy(bytes.data(), &frame, bytes.size());
  return bytes;
}

base::Result<Announcer> Announcer::open(int ifindex) {
  // Protocol 0: it only sends and never receives.
  base::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::fail_errno("cannot open a packet socket for announcements");
  // All instances may announce all their addresses at once: 256 addresses, 5 times, some 800 bytes each in the kernel.
  constexpr int kSendBuffer = 4 << 20;
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBuffer, sizeof kSendBuffer);
  return Announcer(std::move(socket), ifindex);
}

base::Result<> Announcer::announce(base::Mac own, const base::Ip& ip, bool router) const {
  const auto sent =
      ip.is_v6() ? send(unsolicited_neighbour_advertisement(own, ip, router)) : send(gratuitous_arp(own, ip.v4()));
  if (!sent) return base::fail("cannot announce " + ip.str() + ": " + sent.error().message);
  return {};
}

base::Result<> Announcer::send(std::span<const uint8_t> frame) const {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = ifindex_;
  std::memcpy(&to.sll_protocol, &frame[offsetof(ether_header, ether_type)], sizeof to.sll_protocol);
  to.sll_halen = ETH_ALEN;
  std::memcpy(to.sll_addr, frame.data(), ETH_ALEN);
  if (sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0) {
    return {};
  }
  return base::fail(std::strerror(errno));
}

}  // namespace vrrp
