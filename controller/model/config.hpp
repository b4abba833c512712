// SPDX-License-Identifier: Apache-2.0
// Config: what the operator wants, as plain values with every default filled in. Made by config/, read by everyone.
// Two configurations that compare equal mean the same: a reload between them touches nothing.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "model/vrrp.hpp"

namespace model {

enum class Protocol : uint8_t { tcp = IPPROTO_TCP, udp = IPPROTO_UDP };
const char* name(Protocol protocol);  // "TCP", "UDP", as keepalived writes them

// How a virtual server chooses the real server for a new connection; the words are keepalived's and IPVS's.
enum class Scheduler : uint8_t { rr, wrr, lc, wlc, sh, mh };
const char* name(Scheduler scheduler);

// lc and wlc: by the connections that each real server has.
constexpr bool by_connections(Scheduler scheduler) {
  return scheduler == Scheduler::lc || scheduler == Scheduler::wlc;
}

// Ports of an address that carry a mark, as one iptables MARK rule. Of rules that overlap the last one wins.
struct PortMark {
  uint32_t mark = 0;
  base::Ip address;
  Protocol protocol = Protocol::tcp;
  uint16_t first_port = 0, last_port = 0;  // inclusive, host byte order

  friend bool operator==(const PortMark&, const PortMark&) = default;
};

// Connects to the real server; up when the connection is accepted.
struct TcpCheck {
  base::Duration connect_timeout{};
  int retry = 0;  // further tries before the real server is down
  base::Duration delay_before_retry{};
  uint16_t connect_port = 0;  // already resolved: the real server's port where not configured

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

struct RealServer {
  base::Ip address;
  uint16_t port = 0;  // host byte order. With direct routing it only names the server and where to check it.
  uint16_t weight = 1;
  bool inhibit_on_failure = false;
  std::vector<TcpCheck> checks;

  friend bool operator==(const RealServer&, const RealServer&) = default;
};

// What identifies a virtual server: an exact address:port, or a mark on addresses of one family.
struct VirtualServerKey {
  uint32_t mark = 0;     // 0: exact
  bool mark_v6 = false;  // a mark on IPv6 addresses; false where exact
  base::Ip address;
  uint16_t port = 0;  // host byte order
  Protocol protocol = Protocol::tcp;

  bool is_v6() const { return mark != 0 ? mark_v6 : address.is_v6(); }
  std::string str() const;  // "TCP 192.168.100.111:9826", "TCP [2001:db8::1]:80", "TCP fwmark 300", "TCP fwmark 6 IPv6"
  friend auto operator<=>(const VirtualServerKey&, const VirtualServerKey&) = default;
};

struct VirtualServer {
  std::string name;
  VirtualServerKey key;
  Scheduler scheduler = Scheduler::wrr;
  bool hash_port = false;   // sh-port, mh-port: a client's connections are spread, too
  bool one_packet = false;  // ops: each datagram is scheduled by itself
  base::Duration delay_loop{};
  base::Duration persistence_timeout{};  // zero: not persistent
  uint8_t persistence_prefix = 32;       // how many bits of its address make a client; IPv6: 128 where not configured
  base::Duration tcp_timeout{}, tcp_fin_timeout{}, udp_timeout{};
  std::vector<RealServer> real_servers;

  friend bool operator==(const VirtualServer&, const VirtualServer&) = default;
};

// The weight of a real server for its scheduler: rr and lc know only 0 and 1.
uint16_t scheduled_weight(Scheduler scheduler, uint16_t weight);

struct Config {
  std::string router_id;
  uint32_t connection_slots = 0;         // entries of the table of IPv4 connections: a power of two
  uint32_t connection_slots_ipv6 = 0;    // of IPv6
  uint32_t persistence_slots = 0;        // of persistence templates
  std::vector<std::string> interfaces;   // further ones to attach to
  std::vector<base::Ip> peer_directors;  // what they forward to this director is never forwarded again
  std::vector<VrrpInstance> vrrp_instances;
  std::vector<SyncGroup> sync_groups;
  std::vector<TrackScript> track_scripts;
  std::vector<TrackFile> track_files;
  std::vector<TrackProcess> track_processes;
  std::string notify_fifo;  // lines of all transitions are written to it; empty: none
  std::vector<PortMark> port_marks;
  std::vector<VirtualServer> virtual_servers;

  base::Duration longest_handover() const;  // of all instances, at a planned stop

  // Every interface the program attaches to: of the instances and of `interfaces`, each once, in order.
  std::vector<std::string> attached_interfaces() const;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace model
