// SPDX-License-Identifier: Apache-2.0
// failover_probe: a client that asks a virtual address a thousand times a second, each time by a socket (and so a
// source port) of its own, while something happens to the directors.
//
// Prints "ready" when each service has answered once. A line "event SECONDS" (since the epoch, with fractions) on its
// input tells when it happened. At a line "end" it waits for answers still on their way and prints its figures
// as one line of JSON (see timeline.hpp). Beside the probes it hears ARP announcements of the address and VRRP
// advertisements.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "bench/failover/timeline.hpp"

namespace {

using base::Ipv4;
using base::Mac;
using failover::kMillisecond;
using failover::kPatience;
using failover::Nanos;
using failover::Probe;

constexpr uint64_t kTimer = 1ULL << 63;  // what epoll says of descriptors that are no probes
constexpr uint64_t kInput = kTimer + 1;
constexpr uint64_t kArp = kTimer + 2;
constexpr uint64_t kVrrp = kTimer + 3;

struct Service {
  std::string name;
  uint16_t port = 0;
};

template <class Clock>
Nanos now_of() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}
Nanos now() {
  return now_of<std::chrono::steady_clock>();
}

int sure(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

base::Fd packet_socket(const std::string& interface, uint16_t protocol) {
  base::Fd socket(sure(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "packet socket"));
  const int index = static_cast<int>(if_nametoindex(interface.c_str()));
  if (index == 0) throw std::runtime_error(interface + ": " + std::strerror(errno));
  // Before it is bound: else it would hear every packet until the filter is there.
  if (protocol == ETH_P_IP) {
    std::array<sock_filter, 4> only_vrrp{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(iphdr, protocol)),
                                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 112, 0, 1),
                                          BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)}};
    const sock_fprog program{only_vrrp.size(), only_vrrp.data()};
    sure(setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), "filter");
    packet_mreq all{};
    all.mr_ifindex = index;
    all.mr_type = PACKET_MR_ALLMULTI;
    sure(setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all), "all multicast");
  }
  sockaddr_ll from{};
  from.sll_family = AF_PACKET;
  from.sll_protocol = htons(protocol);
  from.sll_ifindex = index;
  sure(bind(socket.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), "bind");
  return socket;
}

base::Fd every_millisecond() {
  base::Fd timer(sure(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timer"));
  const itimerspec period{.it_interval = {.tv_sec = 0, .tv_nsec = kMillisecond},
                          .it_value = {.tv_sec = 0, .tv_nsec = kMillisecond}};
  sure(timerfd_settime(timer.get(), 0, &period, nullptr), "timer");
  return timer;
}

Ipv4 address_at(const uint8_t* bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return Ipv4::from_network(value);
}

class Prober {
 public:
  Prober(const std::string& interface, Ipv4 address, std::vector<Service> services)
      : address_(address),
        services_(std::move(services)),
        epoll_(sure(epoll_create1(EPOLL_CLOEXEC), "epoll")),
        timer_(every_millisecond()),
        arp_(packet_socket(interface, ETH_P_ARP)),
        vrrp_(packet_socket(interface, ETH_P_IP)) {
    watch(STDIN_FILENO, kInput);
    watch(arp_.get(), kArp);
    watch(vrrp_.get(), kVrrp);
    watch(timer_.get(), kTimer);
  }

  failover::Timeline run() {
    while (!ended_ || now() < *ended_ + kPatience) {
      std::array<epoll_event, 64> events{};
      const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 10);
      for (int i = 0; i < count; ++i) handle(events[static_cast<size_t>(i)].data.u64);
      while (!open_.empty() && now() > open_.begin()->second.sent + kPatience) open_.erase(open_.begin());
    }
    return std::move(timeline_);
  }

 private:
  // A probe under way, and where its record is.
  struct Open {
    base::Fd socket;
    Nanos sent = 0;
    std::vector<Probe>* records = nullptr;
    size_t record = 0;
  };

  void watch(int fd, uint64_t name) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = name}};
    sure(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll");
  }

  void handle(uint64_t name) {
    switch (name) {
      case kTimer:
        return ask_all();
      case kInput:
        return read_input();
      case kArp:
        return hear_arp();
      case kVrrp:
        return hear_vrrp();
      default:
        return hear_answer(name);
    }
  }

  void ask_all() {
    uint64_t periods = 0;
    if (read(timer_.get(), &periods, sizeof periods) < 0 || ended_) return;
    const Nanos round = now();
    if (last_round_) timeline_.longest_pause = std::max(timeline_.longest_pause, round - *last_round_);
    last_round_ = round;
    for (const Service& service : services_) ask(service);
  }

  void ask(const Service& service) {
    base::Fd socket(sure(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = address_.network();
    to.sin_port = htons(service.port);
    std::vector<Probe>& records = timeline_.probes[service.name];
    records.push_back({.sent = now()});
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 ||
        send(socket.get(), "?", 1, 0) < 0)
      return;  // no way there just now: lost
    watch(socket.get(), next_);
    open_[next_++] = {std::move(socket), records.back().sent, &records, records.size() - 1};
  }

  void hear_answer(uint64_t name) {
    const auto found = open_.find(name);
    if (found == open_.end()) return;
    Probe& record = found->second.records->at(found->second.record);
    std::array<char, 64> answer{};
    const ssize_t size = recv(found->second.socket.get(), answer.data(), answer.size(), 0);
    if (size >= 0) {
      record.answered = now();
      record.by.assign(answer.data(), static_cast<size_t>(size));
      say_ready(found->second.records);
    } else {
      record.refused = true;
    }
    open_.erase(found);
  }

  void say_ready(const std::vector<Probe>* answered) {
    if (ready_.size() == services_.size() || !ready_.insert(answered).second || ready_.size() < services_.size())
      return;
    std::puts("ready");
    std::fflush(stdout);
  }

  void hear_arp() {
    ether_arp arp{};
    while (recv(arp_.get(), &arp, sizeof arp, 0) >= static_cast<ssize_t>(sizeof arp))
      if (address_at(arp.arp_spa) == address_ && address_at(arp.arp_tpa) == address_)
        timeline_.announcements[Mac::from_bytes(arp.arp_sha).str()].push_back(now());
  }

  void hear_vrrp() {
    iphdr header{};
    while (recv(vrrp_.get(), &header, sizeof header, 0) >= static_cast<ssize_t>(sizeof header))
      timeline_.advertisements[Ipv4::from_network(header.saddr).str()].push_back(now());
  }

  void read_input() {
    std::array<char, 256> text{};
    const ssize_t size = read(STDIN_FILENO, text.data(), text.size());
    if (size <= 0) return end();
    input_.append(text.data(), static_cast<size_t>(size));
    for (size_t newline; (newline = input_.find('\n')) != std::string::npos; input_.erase(0, newline + 1))
      obey(input_.substr(0, newline));
  }

  void obey(const std::string& line) {
    double seconds = 0;
    if (std::sscanf(line.c_str(), "event %lf", &seconds) == 1)
      timeline_.event = static_cast<Nanos>(seconds * 1e9) - now_of<std::chrono::system_clock>() + now();
    else if (line == "end")
      end();
  }

  void end() {
    ended_ = now();
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
  }

  Ipv4 address_;
  std::vector<Service> services_;
  base::Fd epoll_, timer_, arp_, vrrp_;
  failover::Timeline timeline_;
  std::map<uint64_t, Open> open_;  // by number, which is also the order of sending
  uint64_t next_ = 0;
  std::string input_;
  std::set<const std::vector<Probe>*> ready_;  // services that have answered
  std::optional<Nanos> last_round_, ended_;
};

std::vector<Service> services_of(const std::vector<std::string>& words) {
  std::vector<Service> result;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error(word + ": a service is NAME=PORT");
    result.push_back({word.substr(0, equals), static_cast<uint16_t>(std::stoi(word.substr(equals + 1)))});
  }
  return result;
}

// A socket for each probe of the last second, and some.
void allow_many_sockets() {
  const rlimit many{16384, 16384};
  setrlimit(RLIMIT_NOFILE, &many);
}

}  // namespace

int main(int argc, char** argv) {
  std::string interface, address;
  std::vector<std::string> services;
  CLI::App app{"asks an address every millisecond and tells how long it was away"};
  app.add_option("interface", interface)->required();
  app.add_option("address", address)->required();
  app.add_option("services", services, "NAME=PORT (UDP) ...")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    const auto wanted = Ipv4::parse(address);
    if (!wanted) throw std::runtime_error(address + " is no IPv4 address");
    allow_many_sockets();
    std::puts(figures(Prober(interface, *wanted, services_of(services)).run()).dump().c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "failover_probe: %s\n", failure.what());
    return 1;
  }
  return 0;
}
