// SPDX-License-Identifier: Apache-2.0
// Which connections and persistence templates `xdirector connections` shows. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "dataplane/pinned_tables.hpp"

namespace cli {

// The addresses that have these leading bits.
struct Network {
  base::Ip address;
  uint8_t prefix = 0;

  static std::optional<Network> parse(std::string_view text);  // "192.0.2.7", "192.0.2.0/24", "2001:db8::/32"
  bool contains(const base::Ip& other) const;
};

struct Endpoint {
  base::Ip address;
  std::optional<uint16_t> port;

  // "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "[2001:db8::7]:80"
  static std::optional<Endpoint> parse(std::string_view text);
  bool is(const base::Ip& other, uint16_t its_port) const {
    return address == other && port.value_or(its_port) == its_port;
  }
};

// As people and ipvsadm know them: whether a connection is proven matters in a flood only.
enum class ConnectionState { opening, established, closing };
ConnectionState state_of(xd_connection_state state);
const char* name(ConnectionState state);
std::optional<ConnectionState> parse_state(std::string_view text);

struct ConnectionFilter {
  std::optional<Network> client;
  std::optional<Endpoint> real_server, virtual_server;
  std::optional<ConnectionState> state;

  bool matches(const dataplane::Connection& connection) const;
  // A template of many clients matches when one of them would. One of a mark has no virtual address to match.
  bool matches(const dataplane::PersistenceTemplate& persistence_template) const;
};

}  // namespace cli
