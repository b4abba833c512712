// SPDX-License-Identifier: Apache-2.0
// vrrp_peer: the other router of a VRRP test, that can misbehave in every way, and a recorder of what routers say.
//
//   vrrp_peer watch INTERFACE           each advertisement and announcement that arrives, as a line of JSON
//   vrrp_peer send INTERFACE < WISHES   a JSON array of frames (vrrp_frames.hpp) with when to send each; a line of JSON
//                                       per frame sent; ends when all are sent, or after --seconds
//
// When: after_ms (0), every_ms (1000), times (1; 0 for ever). Or rate: so many a second, for ever, and no lines.
// The time "t" is CLOCK_REALTIME in seconds, of arrivals the kernel's.
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "base/fd.hpp"
#include "vrrp_frames.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using peer::Json;

constexpr auto kFloodStep = 1ms;  // a flood is a burst each millisecond

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

void say(Json line, double time) {
  line["t"] = time;
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return seconds(time);
}

base::Fd packet_socket(const std::string& interface, int protocol) {
  base::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) give_up("packet socket");
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(static_cast<uint16_t>(protocol));
  to.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (to.sll_ifindex == 0) give_up(interface);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) give_up("bind to " + interface);
  return socket;
}

// --- watch

void watch(const std::string& interface) {
  const base::Fd socket = packet_socket(interface, ETH_P_ALL);
  const int on = 1, buffer = 16 << 20;  // what many routers say at once
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  say({{"kind", "watching"}}, now());
  for (;;) {
    std::array<uint8_t, 2048> frame{};
    std::array<char, 256> control{};
    iovec data{frame.data(), frame.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket.get(), &message, 0);
    if (size < 0) continue;  // the interface went down
    auto what = peer::describe(std::span(frame).first(std::min(static_cast<size_t>(size), frame.size())));
    if (!what) continue;
    timespec arrived{};
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_type == SCM_TIMESTAMPNS) std::memcpy(&arrived, CMSG_DATA(c), sizeof arrived);
    }
    say(*std::move(what), seconds(arrived));
  }
}

// --- send

peer::Own own_addresses(const std::string& interface) {
  peer::Own own;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) < 0) give_up("getifaddrs");
  for (const ifaddrs* i = all; i != nullptr; i = i->ifa_next) {
    if (i->ifa_name != interface || i->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (i->ifa_addr->sa_family == AF_PACKET) {
      std::copy_n(reinterpret_cast<const sockaddr_ll*>(i->ifa_addr)->sll_addr, 6, own.mac.begin());
    } else if (i->ifa_addr->sa_family == AF_INET && own.ipv4.empty()) {
      own.ipv4 = inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr, text.data(), 64);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      const auto& address = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&address)) own.ipv6_link_local = inet_ntop(AF_INET6, &address, text.data(), 64);
    }
  }
  freeifaddrs(all);
  return own;
}

struct Stream {
  peer::Bytes frame;
  Json line;  // said of each frame; null: nothing
  Clock::time_point due;
  Clock::duration every;
  size_t burst = 1;
  int64_t left = 1;  // bursts; below 0: for ever
};

Stream stream(const Json& wish, const peer::Own& own, Clock::time_point start) {
  Stream s;
  s.frame = peer::frame(wish, own);
  s.due = start + std::chrono::milliseconds(wish.value("after_ms", 0));
  s.every = std::chrono::milliseconds(wish.value("every_ms", 1000));
  s.left = wish.value("times", 1) == 0 ? -1 : wish.value("times", 1);
  s.line = {{"kind", "sent"}, {"vrid", wish.value("vrid", 0)}, {"priority", wish.value("priority", 100)}};
  if (wish.contains("rate")) {
    s.burst = std::max<size_t>(1, wish["rate"].get<size_t>() / 1000);
    s.every = kFloodStep;
    s.left = -1;
    s.line = nullptr;
  }
  return s;
}

void send(int socket, Stream& s) {
  iovec data{s.frame.data(), s.frame.size()};
  std::vector<mmsghdr> burst(s.burst);
  for (mmsghdr& one : burst) {
    one.msg_hdr.msg_iov = &data;
    one.msg_hdr.msg_iovlen = 1;
  }
  const double time = now();
  if (sendmmsg(socket, burst.data(), static_cast<unsigned>(burst.size()), 0) < 0 && errno != ENOBUFS)
    give_up("sending");
  if (!s.line.is_null()) say(s.line, time);
  s.due += s.every;
  if (s.left > 0) --s.left;
}

void send_all(const std::string& interface, const Json& wishes, std::optional<double> limit) {
  const base::Fd socket = packet_socket(interface, 0);
  const peer::Own own = own_addresses(interface);
  const auto start = Clock::now();
  const auto end = limit ? start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*limit))
                         : Clock::time_point::max();
  std::vector<Stream> streams;
  for (const Json& wish : wishes) streams.push_back(stream(wish, own, start));
  for (;;) {
    std::erase_if(streams, [](const Stream& s) { return s.left == 0; });
    if (streams.empty()) return;
    Stream& next = *std::ranges::min_element(streams, {}, &Stream::due);
    if (next.due >= end) break;
    std::this_thread::sleep_until(next.due);
    send(socket.get(), next);
  }
  std::this_thread::sleep_until(end);
}

}  // namespace

int main(int argc, char** argv) {
  std::string interface;
  std::optional<double> limit;
  CLI::App app{"the other router of a VRRP test"};
  app.require_subcommand(1);
  auto* watching = app.add_subcommand("watch", "says what arrives");
  watching->add_option("interface", interface)->required();
  auto* sending = app.add_subcommand("send", "sends what standard input wishes");
  sending->add_option("interface", interface)->required();
  sending->add_option("--seconds", limit, "then ends, whatever is left to send");
  CLI11_PARSE(app, argc, argv);
  try {
    if (*watching) watch(interface);
    send_all(interface, Json::parse(std::cin), limit);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "vrrp_peer: %s\n", failure.what());
    return 1;
  }
  return 0;
}
