// SPDX-License-Identifier: Apache-2.0
#include "netlink/addresses.hpp"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>

namespace netlink {
namespace {

detail::MessagePtr address_request(int type, int flags, int ifindex, base::Ipv4 ip) {
  const ifaddrmsg header{.ifa_family = AF_INET,
                         .ifa_prefixlen = 32,
                         .ifa_flags = 0,
                         .ifa_scope = RT_SCOPE_UNIVERSE,
                         .ifa_index = static_cast<uint32_t>(ifindex)};
  auto message = detail::make_request(type, flags, &header, sizeof header);
  const uint32_t network = ip.network();
  detail::put(message.get(), IFA_LOCAL, &network, sizeof network);
  detail::put(message.get(), IFA_ADDRESS, &network, sizeof network);
  return message;
}

}  // namespace

base::Result<std::vector<Address>> addresses(Socket& socket) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  const auto message = detail::make_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof header);
  return detail::dump<Address>(socket, message.get(), decode_address, "addresses");
}

std::optional<base::Ipv4> primary_address(const std::vector<Address>& all, int ifindex,
                                          const std::vector<base::Ipv4>& except) {
  std::optional<base::Ipv4> first;
  for (const Address& address : all) {
    if (address.ifindex != ifindex || address.secondary) continue;
    if (std::ranges::find(except, address.ip) != except.end()) continue;
    if (address.prefix_length < 32) return address.ip;
    if (!first) first = address.ip;
  }
  return first;
}

base::Result<Added> add_address(Socket& socket, int ifindex, base::Ipv4 ip) {
  const auto message = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, ip);
  const int error = socket.request(message.get());
  if (error == 0) return Added::now;
  if (error == EEXIST) return Added::before;
  return base::fail_errno(fmt::format("cannot add {}/32 to interface {}", ip.str(), ifindex), error);
}

base::Result<Removed> remove_address(Socket& socket, int ifindex, base::Ipv4 ip) {
  const auto message = address_request(RTM_DELADDR, 0, ifindex, ip);
  const int error = socket.request(message.get());
  if (error == 0) return Removed::now;
  if (error == EADDRNOTAVAIL || error == ENODEV) return Removed::before;
  return base::fail_errno(fmt::format("cannot remove {}/32 from interface {}", ip.str(), ifindex), error);
}

std::optional<Address> decode_address(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWADDR && message->nlmsg_type != RTM_DELADDR) return std::nullopt;
  std::array<nlattr*, IFA_MAX + 1> attribute{};
  if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifaddrmsg), attribute.data(), IFA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ifaddrmsg*>(nlmsg_data(message));
  // IFA_LOCAL is the interface's own; on a point-to-point link IFA_ADDRESS is the other end's.
  const nlattr* ip = attribute[IFA_LOCAL] != nullptr ? attribute[IFA_LOCAL] : attribute[IFA_ADDRESS];
  if (header->ifa_family != AF_INET || ip == nullptr || nla_len(ip) != 4) return std::nullopt;
  return Address{.ifindex = static_cast<int>(header->ifa_index),
                 .ip = base::Ipv4::from_network(nla_get_u32(ip)),
                 .prefix_length = header->ifa_prefixlen,
                 .secondary = (header->ifa_flags & IFA_F_SECONDARY) != 0};
}

}  // namespace netlink
