// SPDX-License-Identifier: Apache-2.0
#include "vrrp/announce.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>

#include <cstring>

namespace vrrp {
namespace {

struct Frame {
  ether_header ethernet;
  ether_arp arp;
};
static_assert(sizeof(Frame) == sizeof(ArpFrame));

}  // namespace

ArpFrame gratuitous_arp(base::Mac own, base::Ipv4 ip) {
  const uint32_t address = ip.network();
  Frame frame{};
  std::memcpy(frame.ethernet.ether_dhost, base::kBroadcastMac.bytes().data(), ETH_ALEN);
  std::memcpy(frame.ethernet.ether_shost, own.bytes().data(), ETH_ALEN);
  frame.ethernet.ether_type = htons(ETHERTYPE_ARP);
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

base::Result<Announcer> Announcer::open(int ifindex) {
  // Protocol 0: it only sends and never receives.
  base::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::fail_errno("cannot open a packet socket for gratuitous ARP");
  return Announcer(std::move(socket), ifindex);
}

base::Result<> Announcer::announce(base::Mac own, const base::Ip& ip, int times) const {
  const ArpFrame frame = gratuitous_arp(own, ip.v4());
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = ifindex_;
  to.sll_protocol = htons(ETHERTYPE_ARP);
  to.sll_halen = ETH_ALEN;
  std::memcpy(to.sll_addr, base::kBroadcastMac.bytes().data(), ETH_ALEN);
  for (int i = 0; i < times; ++i) {
    if (sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      return base::fail_errno("cannot announce " + ip.str());
    }
  }
  return {};
}

}  // namespace vrrp
