// SPDX-License-Identifier: Apache-2.0
#include "netlink/routes.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>

namespace netlink {
namespace {

std::optional<Route> decode_route(const nlmsghdr* message) {
  std::array<nlattr*, RTA_MAX + 1> attribute{};
  if (message->nlmsg_type != RTM_NEWROUTE ||
      nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(rtmsg), attribute.data(), RTA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const rtmsg*>(nlmsg_data(message));
  // An unreachable, a prohibit and a blackhole route: an error for IPv4, an answer for IPv6.
  const bool leads_there = header->rtm_type == RTN_UNICAST || header->rtm_type == RTN_LOCAL;
  if (!leads_there || attribute[RTA_OIF] == nullptr) return std::nullopt;
  Route route{.ifindex = static_cast<int>(nla_get_u32(attribute[RTA_OIF])),
              .direct = attribute[RTA_GATEWAY] == nullptr && attribute[RTA_VIA] == nullptr,
              .local = header->rtm_type == RTN_LOCAL,
              .source = {}};
  route.source = detail::address(header->rtm_family, attribute[RTA_PREFSRC]).value_or(base::Ip());
  return route;
}

// Who put a route there (`ip route show proto`): see addresses.cpp.
constexpr uint8_t kOurProtocol = 112;

rtmsg header_of(const NewRoute& route) {
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(route.destination.family());
  header.rtm_dst_len = route.prefix_length;
  header.rtm_table = RT_TABLE_UNSPEC;  // in an attribute, where it has 32 bits
  header.rtm_protocol = kOurProtocol;
  header.rtm_type = RTN_UNICAST;
  return header;
}

detail::MessagePtr route_request(int type, int flags, const rtmsg& header, const NewRoute& route) {
  auto message = detail::make_request(type, flags, &header, sizeof header);
  nl_msg* m = message.get();
  const uint32_t table = route.table != 0 ? route.table : static_cast<uint32_t>(RT_TABLE_MAIN);
  detail::put(m, RTA_TABLE, &table, sizeof table);
  if (route.prefix_length > 0) detail::put(m, RTA_DST, route.destination.network());
  if (route.via) detail::put(m, RTA_GATEWAY, route.via->network());
  if (route.source) detail::put(m, RTA_PREFSRC, route.source->network());
  if (route.ifindex != 0) detail::put(m, RTA_OIF, &route.ifindex, sizeof route.ifindex);
  if (route.metric != 0) detail::put(m, RTA_PRIORITY, &route.metric, sizeof route.metric);
  return message;
}

std::string text(const NewRoute& route) {
  return fmt::format("the route to {}/{}", route.destination.str(), route.prefix_length);
}

std::optional<NewRoute> decode_our_route(const nlmsghdr* message) {
  std::array<nlattr*, RTA_MAX + 1> attribute{};
  const auto* header = static_cast<const rtmsg*>(nlmsg_data(message));
  if (message->nlmsg_type != RTM_NEWROUTE || header->rtm_protocol != kOurProtocol ||
      nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(rtmsg), attribute.data(), RTA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const base::Ip any = header->rtm_family == AF_INET6 ? base::Ip() : base::Ip(base::Ipv4());
  auto number = [&](int which) { return attribute[which] != nullptr ? nla_get_u32(attribute[which]) : 0; };
  return NewRoute{.destination = detail::address(header->rtm_family, attribute[RTA_DST]).value_or(any),
                  .prefix_length = header->rtm_dst_len,
                  .via = detail::address(header->rtm_family, attribute[RTA_GATEWAY]),
                  .source = detail::address(header->rtm_family, attribute[RTA_PREFSRC]),
                  .ifindex = static_cast<int>(number(RTA_OIF)),
                  .table = number(RTA_TABLE),
                  .metric = number(RTA_PRIORITY),
                  .scope = header->rtm_scope,
                  .on_link = (header->rtm_flags & RTNH_F_ONLINK) != 0};
}

}  // namespace

base::Result<Added> add_route(Socket& socket, const NewRoute& route) {
  rtmsg header = header_of(route);
  header.rtm_scope = route.scope;
  const bool direct = !route.via && !route.destination.is_v6();
  if (direct) header.rtm_scope = std::max<uint8_t>(route.scope, RT_SCOPE_LINK);
  if (route.on_link) header.rtm_flags |= RTNH_F_ONLINK;
  const auto message = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header, route);
  const int error = socket.request(message.get());
  if (error == 0) return Added::now;
  if (error == EEXIST) return Added::before;
  return base::fail_errno("cannot add " + text(route), error);
}

base::Result<Removed> remove_route(Socket& socket, const NewRoute& route) {
  rtmsg header = header_of(route);
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  const auto message = route_request(RTM_DELROUTE, 0, header, route);
  const int error = socket.request(message.get());
  if (error == 0) return Removed::now;
  if (error == ESRCH || error == ENODEV) return Removed::before;
  return base::fail_errno("cannot remove " + text(route), error);
}

base::Result<std::vector<NewRoute>> our_routes(Socket& socket) {
  const rtmsg all{};  // AF_UNSPEC
  const auto message = detail::make_request(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof all);
  return detail::dump<NewRoute>(socket, message.get(), decode_our_route, "routes");
}

base::Result<std::optional<Route>> route_to(Socket& socket, const base::Ip& ip) {
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(ip.family());
  header.rtm_dst_len = ip.bits();
  const auto message = detail::make_request(RTM_GETROUTE, 0, &header, sizeof header);
  detail::put(message.get(), RTA_DST, ip.network());
  std::optional<Route> found;
  const int error = socket.request(message.get(), [&](const nlmsghdr* answer) { found = decode_route(answer); });
  // What a missing, an unreachable, a prohibit and a blackhole route answer with.
  const bool unreachable = error == ENETUNREACH || error == EHOSTUNREACH || error == EACCES || error == EINVAL;
  if (error != 0 && !unreachable) return base::fail_errno("cannot ask for the route to " + ip.str(), error);
  return found;
}

}  // namespace netlink
