// SPDX-License-Identifier: Apache-2.0
// arp_probe: asks "who has ADDRESS?" again and again, one broadcast at a time, and counts who answered each: by ARP, or
// for an IPv6 address by neighbour solicitations.
//
// Prints one line of JSON: requests, how many were answered not at all, once, and by more than one MAC address, and the
// number of requests that each MAC address answered.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using base::Ip;
using base::Ipv4;
using base::Mac;

struct Interface {
  int index = 0;
  Mac mac;
  Ipv4 address;
};

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

Interface interface_named(int socket, const std::string& name) {
  Interface result;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket, SIOCGIFINDEX, &request) < 0) give_up(name);
  result.index = request.ifr_ifindex;
  if (ioctl(socket, SIOCGIFHWADDR, &request) < 0) give_up(name);
  result.mac = Mac::from_bytes(request.ifr_hwaddr.sa_data);
  const base::Fd inet(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(inet.get(), SIOCGIFADDR, &request) < 0) give_up(name);
  sockaddr_in address{};
  std::memcpy(&address, &request.ifr_addr, sizeof address);
  result.address = Ipv4::from_network(address.sin_addr.s_addr);
  return result;
}

void put(uint8_t (&field)[4], Ipv4 address) {
  const uint32_t value = address.network();
  std::memcpy(field, &value, sizeof value);
}

Ipv4 get(const uint8_t (&field)[4]) {
  uint32_t value = 0;
  std::memcpy(&value, field, sizeof value);
  return Ipv4::from_network(value);
}

void ask(int socket, const Interface& own, Ipv4 wanted) {
  ether_arp arp{};
  arp.arp_hrd = htons(ARPHRD_ETHER);
  arp.arp_pro = htons(ETHERTYPE_IP);
  arp.arp_hln = ETH_ALEN;
  arp.arp_pln = 4;
  arp.arp_op = htons(ARPOP_REQUEST);
  std::memcpy(arp.arp_sha, own.mac.bytes().data(), ETH_ALEN);
  put(arp.arp_spa, own.address);
  put(arp.arp_tpa, wanted);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETHERTYPE_ARP);
  to.sll_ifindex = own.index;
  to.sll_halen = ETH_ALEN;
  std::memset(to.sll_addr, 0xff, ETH_ALEN);
  if (sendto(socket, &arp, sizeof arp, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) give_up("sending");
}

// Who says within the time that it has `wanted`.
std::set<Mac> answers(int socket, Ipv4 wanted, std::chrono::milliseconds wait) {
  std::set<Mac> result;
  const auto end = Clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd readable{socket, POLLIN, 0};
    if (left < 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) return result;
    ether_arp arp{};
    if (recv(socket, &arp, sizeof arp, 0) < static_cast<ssize_t>(sizeof arp)) continue;
    const bool gratuitous = get(arp.arp_tpa) == wanted;
    if (arp.arp_op == htons(ARPOP_REPLY) && get(arp.arp_spa) == wanted && !gratuitous)
      result.insert(Mac::from_bytes(arp.arp_sha));
  }
}

// --- the same for IPv6

// With the one option that it carries: where to answer.
struct Neighbour {
  ip6_hdr ip;
  nd_neighbor_solicit message;
  nd_opt_hdr option;
  std::array<uint8_t, ETH_ALEN> mac;
};

struct PseudoHeader {
  in6_addr source, destination;
  uint32_t length, next;
};

uint32_t sum(const void* data, size_t size) {
  uint32_t total = 0;
  for (size_t i = 0; i < size; i += 2) {
    uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, sizeof word);
    total += word;
  }
  return total;
}

uint16_t checksum(const Neighbour& packet) {
  constexpr size_t kMessage = sizeof packet - sizeof packet.ip;
  const PseudoHeader pseudo{packet.ip.ip6_src, packet.ip.ip6_dst, htonl(kMessage), htonl(IPPROTO_ICMPV6)};
  uint32_t total = sum(&pseudo, sizeof pseudo) + sum(&packet.message, kMessage);
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(~total);
}

in6_addr own_address6(const std::string& interface) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) give_up("addresses");
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET6 || interface != one->ifa_name) continue;
    sockaddr_in6 address{};
    std::memcpy(&address, one->ifa_addr, sizeof address);
    freeifaddrs(all);
    return address.sin6_addr;
  }
  freeifaddrs(all);
  throw std::runtime_error(interface + " has no IPv6 address");
}

void ask6(int socket, const Interface& own, const in6_addr& source, const in6_addr& wanted) {
  Neighbour packet{};
  packet.ip.ip6_flow = htonl(6 << 28);
  packet.ip.ip6_plen = htons(sizeof packet - sizeof packet.ip);
  packet.ip.ip6_nxt = IPPROTO_ICMPV6;
  packet.ip.ip6_hlim = 255;
  packet.ip.ip6_src = source;
  inet_pton(AF_INET6, "ff02::1:ff00:0", &packet.ip.ip6_dst);
  std::copy_n(&wanted.s6_addr[13], 3, &packet.ip.ip6_dst.s6_addr[13]);
  packet.message.nd_ns_type = ND_NEIGHBOR_SOLICIT;
  packet.message.nd_ns_target = wanted;
  packet.option = {.nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1};
  std::copy_n(own.mac.bytes().data(), ETH_ALEN, packet.mac.data());
  packet.message.nd_ns_cksum = checksum(packet);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETHERTYPE_IPV6);
  to.sll_ifindex = own.index;
  to.sll_halen = ETH_ALEN;
  to.sll_addr[0] = to.sll_addr[1] = 0x33;
  std::copy_n(&packet.ip.ip6_dst.s6_addr[12], 4, &to.sll_addr[2]);
  if (sendto(socket, &packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) give_up("sending");
}

std::set<Mac> answers6(int socket, const in6_addr& wanted, std::chrono::milliseconds wait) {
  std::set<Mac> result;
  const auto end = Clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd readable{socket, POLLIN, 0};
    if (left < 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) return result;
    Neighbour packet{};
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(socket, &packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < static_cast<ssize_t>(offsetof(Neighbour, option)) || packet.ip.ip6_nxt != IPPROTO_ICMPV6) continue;
    if (packet.message.nd_ns_type != ND_NEIGHBOR_ADVERT ||
        std::memcmp(&packet.message.nd_ns_target, &wanted, sizeof wanted) != 0 ||
        (packet.message.nd_ns_hdr.icmp6_data8[0] & 0x40) == 0)  // not solicited
      continue;
    result.insert(Mac::from_bytes(from.sll_addr));
  }
}

// --- either

nlohmann::json probe(const std::string& interface, const Ip& wanted, int requests, std::chrono::milliseconds wait) {
  const uint16_t protocol = htons(wanted.is_v6() ? ETHERTYPE_IPV6 : ETHERTYPE_ARP);
  const base::Fd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, protocol));
  if (!socket) give_up("packet socket");
  const Interface own = interface_named(socket.get(), interface);
  sockaddr_ll from{};
  from.sll_family = AF_PACKET;
  from.sll_protocol = protocol;
  from.sll_ifindex = own.index;
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) < 0) give_up("bind");
  in6_addr wanted6{}, source6{};
  std::memcpy(&wanted6, wanted.bytes().data(), sizeof wanted6);
  if (wanted.is_v6()) source6 = own_address6(interface);

  int unanswered = 0;
  int once = 0;
  int twice = 0;
  std::map<std::string, int> by_mac;
  for (int i = 0; i < requests; ++i) {
    wanted.is_v6() ? ask6(socket.get(), own, source6, wanted6) : ask(socket.get(), own, wanted.v4());
    const auto macs = wanted.is_v6() ? answers6(socket.get(), wanted6, wait) : answers(socket.get(), wanted.v4(), wait);
    ++(macs.empty() ? unanswered : macs.size() == 1 ? once : twice);
    for (const Mac& mac : macs) ++by_mac[mac.str()];
  }
  return {{"requests", requests}, {"unanswered", unanswered}, {"once", once}, {"twice", twice}, {"macs", by_mac}};
}

}  // namespace

int main(int argc, char** argv) {
  std::string interface;
  std::string address;
  int requests = 200;
  int wait_ms = 15;
  CLI::App app{"asks for an address again and again and counts who answers"};
  app.add_option("interface", interface)->required();
  app.add_option("address", address)->required();
  app.add_option("--requests", requests);
  app.add_option("--wait-ms", wait_ms, "for the answers to one request");
  CLI11_PARSE(app, argc, argv);
  const auto wanted = Ip::parse(address);
  if (!wanted) {
    std::fprintf(stderr, "arp_probe: %s is no address\n", address.c_str());
    return 2;
  }
  try {
    std::puts(probe(interface, *wanted, requests, std::chrono::milliseconds(wait_ms)).dump().c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "arp_probe: %s\n", failure.what());
    return 1;
  }
  return 0;
}
