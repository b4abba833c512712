// SPDX-License-Identifier: Apache-2.0
#include "cli/connection_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cli {
namespace {

template <typename Number>
std::optional<Number> parse_number(std::string_view text, Number smallest, Number largest) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number >= smallest && number <= largest ? std::optional(number) : std::nullopt;
}

constexpr std::array kStateNames = {"opening", "established", "closing"};

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<base::Ip> address = base::Ip::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Network{*address, address->bits()};
  const auto prefix = parse_number<uint8_t>(text.substr(slash + 1), 0, address->bits());
  return prefix ? std::optional(Network{*address, *prefix}) : std::nullopt;
}

bool Network::contains(const base::Ip& other) const {
  return base::share_prefix(address, other, prefix);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  if (const std::optional<base::Ip> address = base::Ip::parse(text)) return Endpoint{*address, std::nullopt};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<base::Ip> address = base::Ip::parse(host);
  const auto port = parse_number<uint16_t>(text.substr(colon + 1), 1, 65535);
  if (!address || !port || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint{*address, port};
}

ConnectionState state_of(xd_connection_state state) {
  switch (state) {
    case XD_OPENING:
      return ConnectionState::opening;
    case XD_CLOSING:
      return ConnectionState::closing;
    case XD_YOUNG:
    case XD_PROVEN:
      break;
  }
  return ConnectionState::established;
}

const char* name(ConnectionState state) {
  return kStateNames.at(static_cast<size_t>(state));
}

std::optional<ConnectionState> parse_state(std::string_view text) {
  for (size_t i = 0; i < kStateNames.size(); ++i) {
    if (text == kStateNames[i]) return static_cast<ConnectionState>(i);
  }
  return std::nullopt;
}

bool ConnectionFilter::matches(const dataplane::Connection& connection) const {
  return (!client || client->contains(connection.client)) &&
         (!real_server || real_server->is(connection.real_server.address, connection.real_server.port)) &&
         (!virtual_server || virtual_server->is(connection.virtual_address, connection.virtual_port)) &&
         (!state || *state == state_of(connection.state));
}

bool ConnectionFilter::matches(const dataplane::PersistenceTemplate& t) const {
  return (!client || base::share_prefix(client->address, t.client, std::min(client->prefix, t.prefix))) &&
         (!real_server || real_server->is(t.real_server.address, t.real_server.port)) &&
         (!virtual_server || virtual_server->is(t.virtual_server.address, t.virtual_server.port));
}

}  // namespace cli
