// SPDX-License-Identifier: Apache-2.0
// An element of `virtual_servers`, with its real servers and their checks.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "config/sections.hpp"
#include "xdirector/limits.h"

namespace config {
namespace {

constexpr std::string_view kUseWlc = "not supported; the nearest is \"wlc\"";
constexpr std::string_view kUseMh =
    "not supported, it balances by the address that packets are sent to; by their source: \"mh\"";
constexpr std::string_view kDirectRoutingOnly =
    "not supported, only direct routing is; use \"DR\", and give each real server the virtual address on lo (xdirector "
    "real-server add)";
constexpr std::string_view kNotYetUseTcp = "not supported yet; expected \"tcp\"";

// Names what is meant and is otherwise without effect, as there is one of it.
struct OnlyOne {};

Choice<model::Scheduler> scheduler() {
  using enum model::Scheduler;
  return {.words = {{"rr", rr}, {"wrr", wrr}, {"lc", lc}, {"wlc", wlc}, {"sh", sh}, {"mh", mh}},
          .refused = {{"sed", kUseWlc},
                      {"nq", kUseWlc},
                      {"twos", kUseWlc},
                      {"ovf", kUseWlc},
                      {"lblc", kUseMh},
                      {"lblcr", kUseMh},
                      {"dh", kUseMh},
                      {"fo", "not supported; use \"wrr\", and weight 0 for a real server in reserve"}}};
}

Choice<OnlyOne> forwarding_method() {
  return {.words = {{"DR", {}}}, .refused = {{"NAT", kDirectRoutingOnly}, {"TUN", kDirectRoutingOnly}}};
}

Choice<OnlyOne> check_type() {
  return {.words = {{"tcp", {}}},
          .refused = {{"http", kNotYetUseTcp},
                      {"https", kNotYetUseTcp},
                      {"ftp", kNotYetUseTcp},
                      {"smtp", kNotYetUseTcp},
                      {"dns", kNotYetUseTcp},
                      {"misc", kNotYetUseTcp},
                      {"udp", kNotYetUseTcp},
                      {"ping", kNotYetUseTcp}}};
}

// How many bits of a client's address count: as a netmask or as a prefix length for IPv4, as a prefix length for IPv6.
struct ClientPrefix {
  bool v6;

  uint8_t longest() const { return v6 ? 128 : 32; }
  std::string allowed() const {
    return v6 ? "a prefix length from 1 to 128"
              : "a netmask such as \"255.255.255.0\", or a prefix length from 1 to 32";
  }
  std::optional<uint8_t> operator()(const Value& value) const {
    if (value.node.kind == Node::Kind::text && !v6) return of_netmask(value);
    if (value.node.kind != Node::Kind::number) {
      value.unexpected(allowed());
      return std::nullopt;
    }
    const double number = value.node.number;
    if (number >= 1 && number <= longest() && number == std::trunc(number)) return static_cast<uint8_t>(number);
    value.wrong(fmt::format("{} is not allowed; expected {}", value.node.text, allowed()));
    return std::nullopt;
  }

 private:
  std::optional<uint8_t> of_netmask(const Value& value) const {
    const auto mask = base::Ipv4::parse(value.node.text);
    const int bits = mask ? std::countl_one(mask->host()) : 0;
    if (bits > 0 && std::popcount(mask->host()) == bits) return static_cast<uint8_t>(bits);
    value.wrong(fmt::format("{} is not a netmask; expected {}", quoted(value.node.text), allowed()));
    return std::nullopt;
  }
};

model::TcpCheck check(const Value& value, uint16_t real_server_port) {
  Object object(value);
  model::TcpCheck check;
  object.required<OnlyOne>("type", check_type());
  check.connect_timeout =
      object.optional<base::Duration>("connect_timeout", Seconds{0.1, 3600}, std::chrono::seconds(5));
  check.retry = object.optional<int>("retry", Whole{0, 1000}, 1);
  check.delay_before_retry =
      object.optional<base::Duration>("delay_before_retry", Seconds{0, 3600}, std::chrono::seconds(1));
  check.connect_port = object.optional<uint16_t>("connect_port", kPort, real_server_port);
  object.close();
  return check;
}

model::RealServer real_server(const Value& value) {
  Object object(value);
  model::RealServer real;
  real.address = object.required<base::Ip>("address", HostAddress());
  real.port = object.required<uint16_t>("port", kPort);
  real.weight = object.optional<uint16_t>("weight", Whole{0, 65535}, 1);
  real.inhibit_on_failure = object.optional<bool>("inhibit_on_failure", Flag(), false);
  real.checks = object.list("checks", [&](const Value& element) { return check(element, real.port); });
  object.close();
  return real;
}

// `address` and `port`, or `fwmark`.
void read_key(Object& object, model::VirtualServerKey& key) {
  const std::optional<Value> mark = object.find("fwmark");
  if (mark) {
    key.mark = static_cast<uint32_t>(kMark(*mark).value_or(0));
    const bool has_address = object.find("address").has_value(), has_port = object.find("port").has_value();
    if (has_address || has_port) {
      mark->wrong(
          "a virtual server has either \"fwmark\" or \"address\" and \"port\", not both; what a mark covers is said by "
          "\"port_marks\"");
    }
  } else {
    constexpr std::string_view kOrMark = " (or give \"fwmark\" in place of \"address\" and \"port\")";
    const auto address = object.require("address", HostAddress().allowed() + std::string(kOrMark));
    if (address) key.address = HostAddress()(*address).value_or(base::Ip());
    key.port = object.required<uint16_t>("port", kPort);
  }
  key.protocol = object.optional<model::Protocol>("protocol", protocol(), model::Protocol::tcp);
}

// Whether it is IPv6: by its address; with a mark by its real servers; without any by the addresses that carry the
// mark. nullopt: an address that would say so could not be read.
std::optional<bool> is_v6(const model::VirtualServer& server, const std::vector<model::PortMark>& port_marks) {
  std::vector<base::Ip> addresses;
  if (server.key.mark == 0) addresses.push_back(server.key.address);
  for (const model::RealServer& real : server.real_servers) addresses.push_back(real.address);
  for (const model::PortMark& rule : port_marks) {
    if (rule.mark == server.key.mark && rule.protocol == server.key.protocol) addresses.push_back(rule.address);
  }
  if (addresses.empty()) return false;
  if (addresses.front() == base::Ip()) return std::nullopt;
  return addresses.front().is_v6();
}

// An option that goes with some virtual servers only.
bool option(Object& object, std::string_view key, bool fits, std::string_view otherwise) {
  const std::optional<Value> value = object.find(key);
  const bool wanted = value && Flag()(*value).value_or(false);
  if (wanted && !fits) value->wrong(std::string(otherwise));
  return wanted;
}

void read_scheduler(Object& object, model::VirtualServer& server) {
  using enum model::Scheduler;
  const auto algorithm = object.required<std::optional<model::Scheduler>>("lb_algo", scheduler());
  server.scheduler = algorithm.value_or(wrr);
  const bool sh_port = option(object, "sh-port", !algorithm || algorithm == sh, "goes with \"lb_algo\": \"sh\" only");
  const bool mh_port = option(object, "mh-port", !algorithm || algorithm == mh, "goes with \"lb_algo\": \"mh\" only");
  server.hash_port = sh_port || mh_port;
  server.one_packet = option(object, "ops", server.key.protocol != model::Protocol::tcp,
                             "goes with \"protocol\": \"UDP\" only: a TCP connection cannot be torn apart");
}

}  // namespace

Timeouts lvs_timeouts(Object& object, const Timeouts& inherited) {
  const std::optional<Value> value = object.find("lvs_timeouts");
  if (!value) return inherited;
  // A way of the connection table is stamped modulo XD_TICKS: longer idle times could not be told from short ones.
  constexpr Seconds kTimeout{1, XD_MAX_TIMEOUT_SECONDS, " (the connection table's clock counts no further)"};
  Object timeouts(*value);
  Timeouts result;
  result.tcp = timeouts.optional<base::Duration>("tcp", kTimeout, inherited.tcp);
  result.tcp_fin = timeouts.optional<base::Duration>("tcpfin", kTimeout, inherited.tcp_fin);
  result.udp = timeouts.optional<base::Duration>("udp", kTimeout, inherited.udp);
  timeouts.close();
  return result;
}

Choice<model::Protocol> protocol() {
  return {.words = {{"TCP", model::Protocol::tcp}, {"UDP", model::Protocol::udp}},
          .refused = {{"SCTP", "not supported; expected \"TCP\" or \"UDP\""}}};
}

model::VirtualServer virtual_server(const Value& value, const Timeouts& inherited,
                                    const std::vector<model::PortMark>& port_marks) {
  Object object(value);
  model::VirtualServer server;
  const std::optional<Value> name = object.find("name");
  read_key(object, server.key);
  read_scheduler(object, server);
  object.required<OnlyOne>("lb_kind", forwarding_method());
  server.delay_loop = object.optional<base::Duration>("delay_loop", Seconds{0.1, 86400}, std::chrono::seconds(60));
  constexpr double kMonth = 31 * 86400;  // as long as ipvsadm allows
  server.persistence_timeout =
      object.optional<base::Duration>("persistence_timeout", Seconds{1, kMonth}, base::Duration::zero());
  const std::optional<Value> granularity = object.find("persistence_granularity");
  const Timeouts timeouts = lvs_timeouts(object, inherited);
  server.tcp_timeout = timeouts.tcp;
  server.tcp_fin_timeout = timeouts.tcp_fin;
  server.udp_timeout = timeouts.udp;
  server.real_servers = object.required_list("real_servers", "a list of real servers", real_server);
  const std::optional<bool> v6 = is_v6(server, port_marks);
  server.key.mark_v6 = server.key.mark != 0 && v6.value_or(false);
  server.name = name ? kName(*name).value_or("") : server.key.str();
  const ClientPrefix prefix{v6.value_or(false)};
  server.persistence_prefix = granularity && v6 ? prefix(*granularity).value_or(prefix.longest()) : prefix.longest();
  object.close();
  return server;
}

}  // namespace config
