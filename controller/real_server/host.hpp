// SPDX-License-Identifier: Apache-2.0
// The host that becomes a real server: what of its network matters for that, and the changes that can be made to it.
// SystemHost is this machine; tests have one of values.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "netlink/socket.hpp"

namespace real_server {

struct InterfaceAddress {
  std::string interface;
  base::Ip ip;
  uint8_t prefix_length = 32;

  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

// net.ipv4.conf.INTERFACE.{arp_ignore,arp_announce}
struct ArpSettings {
  int ignore = 0, announce = 0;

  friend bool operator==(const ArpSettings&, const ArpSettings&) = default;
};

struct Network {
  bool loopback_up = false;
  std::vector<InterfaceAddress> addresses;
  std::vector<base::Ipv4> loopback_routes;  // host routes on lo
  std::map<std::string, ArpSettings> arp;   // by interface; "all" is one of them

  friend bool operator==(const Network&, const Network&) = default;
};

// VIP/32 or VIP/128 on lo.
struct AddressChange {
  base::Ip vip;
  bool present = true;

  friend bool operator==(const AddressChange&, const AddressChange&) = default;
};

// The host route VIP dev lo, which only IPv4 has.
struct RouteChange {
  base::Ipv4 vip;
  bool present = true;

  friend bool operator==(const RouteChange&, const RouteChange&) = default;
};

struct SysctlChange {
  std::string interface, key;
  int from = 0, to = 0;

  friend bool operator==(const SysctlChange&, const SysctlChange&) = default;
};

using Change = std::variant<AddressChange, RouteChange, SysctlChange>;

Change inverse(const Change& change);
std::string words(const Change& change);  // "192.168.100.111/32 added to lo"

class Host {
 public:
  virtual ~Host() = default;
  virtual base::Result<Network> network() = 0;
  virtual base::Result<> make(const Change& change) = 0;
};

class SystemHost : public Host {
 public:
  static base::Result<SystemHost> open();
  base::Result<Network> network() override;
  base::Result<> make(const Change& change) override;

 private:
  SystemHost(netlink::Socket socket, int loopback) : socket_(std::move(socket)), loopback_(loopback) {}
  netlink::Socket socket_;
  int loopback_;  // ifindex
};

}  // namespace real_server
