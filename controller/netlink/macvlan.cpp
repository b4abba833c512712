// SPDX-License-Identifier: Apache-2.0
#include "netlink/macvlan.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <string_view>

namespace netlink {
namespace {

constexpr std::string_view kKind = "macvlan", kMark = "xdirector";  // the mark: what `ip link` shows as alias

detail::MessagePtr link_request(int type, int flags, int ifindex, unsigned change = 0) {
  const ifinfomsg header{.ifi_family = AF_UNSPEC, .ifi_index = ifindex, .ifi_flags = change, .ifi_change = change};
  return detail::make_request(type, flags, &header, sizeof header);
}

void put(nl_msg* message, int attribute, std::string_view text) {
  detail::put(message, attribute, text.data(), text.size());
}

int create(Socket& socket, const NewMacvlan& macvlan) {
  const auto message = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
  nl_msg* m = message.get();
  detail::put(m, IFLA_IFNAME, macvlan.name.c_str(), macvlan.name.size() + 1);
  detail::put(m, IFLA_LINK, &macvlan.parent, sizeof macvlan.parent);
  detail::put(m, IFLA_ADDRESS, macvlan.mac.bytes());
  nlattr* info = nla_nest_start(m, IFLA_LINKINFO);
  put(m, IFLA_INFO_KIND, kKind);
  nlattr* data = nla_nest_start(m, IFLA_INFO_DATA);
  const uint32_t mode = MACVLAN_MODE_PRIVATE;
  detail::put(m, IFLA_MACVLAN_MODE, &mode, sizeof mode);
  nla_nest_end(m, data);
  nla_nest_end(m, info);
  return socket.request(m);
}

// While it is down: a link-local address made of the virtual router's MAC address would be on every director.
void keep_kernel_from_adding_addresses(Socket& socket, int ifindex) {
  const auto message = link_request(RTM_SETLINK, 0, ifindex);
  nl_msg* m = message.get();
  nlattr* families = nla_nest_start(m, IFLA_AF_SPEC);
  nlattr* inet6 = nla_nest_start(m, AF_INET6);
  const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
  detail::put(m, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  nla_nest_end(m, inet6);
  nla_nest_end(m, families);
  static_cast<void>(socket.request(m));  // refused where there is no IPv6: then there is no such address either
}

int mark_and_raise(Socket& socket, int ifindex) {
  const auto message = link_request(RTM_SETLINK, 0, ifindex, IFF_UP);
  put(message.get(), IFLA_IFALIAS, kMark);
  return socket.request(message.get());
}

}  // namespace

base::Result<> add_macvlan(Socket& socket, const NewMacvlan& macvlan) {
  const std::string what = "cannot add the interface " + macvlan.name;
  int error = create(socket, macvlan);
  if (error == EADDRINUSE) return base::fail(what + ": its MAC address " + macvlan.mac.str() + " is in use there");
  if (error != 0) return base::fail_errno(what, error);
  const auto link = find_link(socket, macvlan.name);
  if (!link) return std::unexpected(link.error());
  if (!*link) return base::fail(what + ": it is gone again");
  keep_kernel_from_adding_addresses(socket, (*link)->index);
  error = mark_and_raise(socket, (*link)->index);
  if (error != 0) return base::fail_errno("cannot set up the interface " + macvlan.name, error);
  return {};
}

base::Result<> remove_macvlan(Socket& socket, int ifindex) {
  const auto message = link_request(RTM_DELLINK, 0, ifindex);
  const int error = socket.request(message.get());
  if (error == 0 || error == ENODEV) return {};
  return base::fail_errno("cannot remove interface " + std::to_string(ifindex), error);
}

base::Result<> add_link_local(Socket& socket, int ifindex, const base::Ip& ip) {
  const ifaddrmsg header{.ifa_family = AF_INET6,
                         .ifa_prefixlen = 64,
                         .ifa_flags = IFA_F_NODAD,
                         .ifa_scope = RT_SCOPE_LINK,
                         .ifa_index = static_cast<uint32_t>(ifindex)};
  const auto message = detail::make_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  detail::put(message.get(), IFA_LOCAL, ip.network());
  const int error = socket.request(message.get());
  if (error == 0 || error == EEXIST) return {};
  return base::fail_errno("cannot add " + ip.str() + " to interface " + std::to_string(ifindex), error);
}

bool is_our_macvlan(const Link& link) {
  return link.kind == kKind && link.alias == kMark;
}

}  // namespace netlink
