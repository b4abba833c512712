// SPDX-License-Identifier: Apache-2.0
// arp_probe: asks "who has ADDRESS?" again and again, one broadcast at a time, and counts who answered each.
//
// Prints one line of JSON: requests, how many were answered not at all, once, and by more than one MAC address, and the
// number of requests that each MAC address answered.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <chrono>
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

nlohmann::json probe(const std::string& interface, Ipv4 wanted, int requests, std::chrono::milliseconds wait) {
  const base::Fd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETHERTYPE_ARP)));
  if (!socket) give_up("packet socket");
  const Interface own = interface_named(socket.get(), interface);
  sockaddr_ll from{};
  from.sll_family = AF_PACKET;
  from.sll_protocol = htons(ETHERTYPE_ARP);
  from.sll_ifindex = own.index;
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) < 0) give_up("bind");

  int unanswered = 0;
  int once = 0;
  int twice = 0;
  std::map<std::string, int> by_mac;
  for (int i = 0; i < requests; ++i) {
    ask(socket.get(), own, wanted);
    const auto macs = answers(socket.get(), wanted, wait);
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
  const auto wanted = Ipv4::parse(address);
  if (!wanted) {
    std::fprintf(stderr, "arp_probe: %s is no IPv4 address\n", address.c_str());
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
