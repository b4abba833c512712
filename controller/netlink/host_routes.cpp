// SPDX-License-Identifier: Apache-2.0
#include "netlink/host_routes.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>

namespace netlink {
namespace {

// Of the main table, on the link itself, as `ip route` and `route -host` write it.
rtmsg host_route() {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  return header;
}

int request(Socket& socket, int type, int flags, int ifindex, base::Ipv4 ip) {
  const rtmsg header = host_route();
  const auto message = detail::make_request(type, flags, &header, sizeof header);
  const uint32_t network = ip.network();
  detail::put(message.get(), RTA_DST, &network, sizeof network);
  detail::put(message.get(), RTA_OIF, &ifindex, sizeof ifindex);
  return socket.request(message.get());
}

}  // namespace

base::Result<std::vector<base::Ipv4>> host_routes(Socket& socket, int ifindex) {
  rtmsg all{};
  all.rtm_family = AF_INET;
  const auto message = detail::make_request(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof all);
  auto decode = [ifindex](const nlmsghdr* answer) -> std::optional<base::Ipv4> {
    std::array<nlattr*, RTA_MAX + 1> attribute{};
    if (answer->nlmsg_type != RTM_NEWROUTE ||
        nlmsg_parse(const_cast<nlmsghdr*>(answer), sizeof(rtmsg), attribute.data(), RTA_MAX, nullptr) < 0) {
      return std::nullopt;
    }
    const auto* header = static_cast<const rtmsg*>(nlmsg_data(answer));
    const bool host = header->rtm_table == RT_TABLE_MAIN && header->rtm_type == RTN_UNICAST &&
                      header->rtm_dst_len == 32 && attribute[RTA_DST] != nullptr && attribute[RTA_GATEWAY] == nullptr;
    if (!host || attribute[RTA_OIF] == nullptr || nla_get_u32(attribute[RTA_OIF]) != static_cast<uint32_t>(ifindex)) {
      return std::nullopt;
    }
    return base::Ipv4::from_network(nla_get_u32(attribute[RTA_DST]));
  };
  return detail::dump<base::Ipv4>(socket, message.get(), decode, "routes");
}

base::Result<Added> add_host_route(Socket& socket, int ifindex, base::Ipv4 ip) {
  const int error = request(socket, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex, ip);
  if (error == 0) return Added::now;
  if (error == EEXIST) return Added::before;
  return base::fail_errno(fmt::format("cannot add the route to {} on interface {}", ip.str(), ifindex), error);
}

base::Result<Removed> remove_host_route(Socket& socket, int ifindex, base::Ipv4 ip) {
  const int error = request(socket, RTM_DELROUTE, 0, ifindex, ip);
  if (error == 0) return Removed::now;
  if (error == ESRCH || error == ENODEV) return Removed::before;
  return base::fail_errno(fmt::format("cannot remove the route to {} on interface {}", ip.str(), ifindex), error);
}

}  // namespace netlink
