// SPDX-License-Identifier: Apache-2.0
#include "netlink/routes.hpp"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

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

}  // namespace

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
