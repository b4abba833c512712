// SPDX-License-Identifier: Apache-2.0
#include "cli/connection_text.hpp"

#include <cmath>
#include <iterator>
#include <string>

#include "cli/connection_filter.hpp"

namespace cli {
namespace {

constexpr int kWidthIpv4 = 21, kWidthIpv6 = 47;  // of an address with its port
constexpr int kWidthVirtualServer = 30;

int width_of(const base::Ip& address) {
  return address.is_v6() ? kWidthIpv6 : kWidthIpv4;
}

long whole_seconds(base::Duration duration) {
  return std::lround(base::seconds(duration));
}

std::string client_of(const dataplane::PersistenceTemplate& t) {
  return t.prefix == t.client.bits() ? t.client.str() : fmt::format("{}/{}", t.client.str(), t.prefix);
}

}  // namespace

void append_heading(Buffer& to, const dataplane::Connection& first) {
  const int width = width_of(first.client);
  fmt::format_to(std::back_inserter(to), "prot  age expires state       {:<{}} {:<{}} real server\n", "client", width,
                 "virtual", width);
}

void append_row(Buffer& to, const dataplane::Connection& c) {
  const int width = width_of(c.client);
  fmt::format_to(std::back_inserter(to), "{:<4} {:>4} {:>7} {:<11} {:<{}} {:<{}} {}\n", model::name(c.protocol),
                 whole_seconds(c.age), whole_seconds(c.expires), name(state_of(c.state)), c.client.str(c.client_port),
                 width, c.virtual_address.str(c.virtual_port), width, c.real_server.str());
}

void append_json(Buffer& to, const dataplane::Connection& c) {
  fmt::format_to(std::back_inserter(to),
                 R"({{"protocol":"{}","age":{},"expires":{},"state":"{}","client":"{}","client_port":{},)"
                 R"("virtual":"{}","virtual_port":{},"real_server":"{}","real_server_port":{}}})",
                 model::name(c.protocol), whole_seconds(c.age), whole_seconds(c.expires), name(state_of(c.state)),
                 c.client.str(), c.client_port, c.virtual_address.str(), c.virtual_port, c.real_server.address.str(),
                 c.real_server.port);
}

void append_heading(Buffer& to, const dataplane::PersistenceTemplate& first) {
  fmt::format_to(std::back_inserter(to), "expires {:<{}} {:<{}} real server\n", "client", width_of(first.client),
                 "virtual server", kWidthVirtualServer);
}

void append_row(Buffer& to, const dataplane::PersistenceTemplate& t) {
  fmt::format_to(std::back_inserter(to), "{:>7} {:<{}} {:<{}} {}\n", whole_seconds(t.expires), client_of(t),
                 width_of(t.client), t.virtual_server.str(), kWidthVirtualServer, t.real_server.str());
}

void append_json(Buffer& to, const dataplane::PersistenceTemplate& t) {
  fmt::format_to(std::back_inserter(to),
                 R"({{"expires":{},"client":"{}","prefix":{},"virtual_server":"{}","real_server":"{}",)"
                 R"("real_server_port":{}}})",
                 whole_seconds(t.expires), t.client.str(), t.prefix, t.virtual_server.str(),
                 t.real_server.address.str(), t.real_server.port);
}

}  // namespace cli
