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

detail::MessagePtr address_request(int type, int flags, int ifindex, const base::Ip& ip) {
  // IPv6: no duplicate address detection, for a virtual address is on several hosts and wanted at once.
  const ifaddrmsg header{.ifa_family = static_cast<uint8_t>(ip.family()),
                         .ifa_prefixlen = ip.bits(),
                         .ifa_flags = static_cast<uint8_t>(ip.is_v6() ? IFA_F_NODAD : 0),
                         .ifa_scope = RT_SCOPE_UNIVERSE,
                         .ifa_index = static_cast<uint32_t>(ifindex)};
  auto message = detail::make_request(type, flags, &header, sizeof header);
  detail::put(message.get(), IFA_LOCAL, ip.network());
  detail::put(message.get(), IFA_ADDRESS, ip.network());
  // And deprecated: the kernel would prefer a /128 as the source of its own connections, health checks among them.
  const ifa_cacheinfo lifetimes{.ifa_prefered = 0, .ifa_valid = 0xffffffff, .cstamp = 0, .tstamp = 0};
  if (ip.is_v6()) detail::put(message.get(), IFA_CACHEINFO, &lifetimes, sizeof lifetimes);
  return message;
}

}  // namespace

base::Result<std::vector<Address>> addresses(Socket& socket) {
  const ifaddrmsg header{};  // AF_UNSPEC: IPv4 and IPv6
  const auto message = detail::make_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof header);
  return detail::dump<Address>(socket, message.get(), decode_address, "addresses");
}

std::optional<base::Ipv4> primary_address(const std::vector<Address>& all, int ifindex,
                                          const std::vector<base::Ip>& except) {
  std::optional<base::Ipv4> first;
  for (const Address& address : all) {
    if (address.ifindex != ifindex || address.ip.is_v6() || address.secondary) continue;
    const base::Ipv4 ip = address.ip.v4();
    if (std::ranges::find(except, ip) != except.end()) continue;
    if (address.prefix_length < 32) return ip;
    if (!first) first = ip;
  }
  return first;
}

base::Result<Added> add_address(Socket& socket, int ifindex, const base::Ip& ip) {
  const auto message = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, ip);
  const int error = socket.request(message.get());
  if (error == 0) return Added::now;
  if (error == EEXIST) return Added::before;
  if (error == EACCES && ip.is_v6()) {
    return base::fail(
        fmt::format("cannot add {} to interface {}: IPv6 is disabled there (sysctl net.ipv6.conf.*.disable_ipv6)",
                    ip.str(), ifindex));
  }
  return base::fail_errno(fmt::format("cannot add {}/{} to interface {}", ip.str(), ip.bits(), ifindex), error);
}

base::Result<Removed> remove_address(Socket& socket, int ifindex, const base::Ip& ip) {
  const auto message = address_request(RTM_DELADDR, 0, ifindex, ip);
  const int error = socket.request(message.get());
  if (error == 0) return Removed::now;
  if (error == EADDRNOTAVAIL || error == ENODEV) return Removed::before;
  return base::fail_errno(fmt::format("cannot remove {}/{} from interface {}", ip.str(), ip.bits(), ifindex), error);
}

std::optional<Address> decode_address(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWADDR && message->nlmsg_type != RTM_DELADDR) return std::nullopt;
  std::array<nlattr*, IFA_MAX + 1> attribute{};
  if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifaddrmsg), attribute.data(), IFA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ifaddrmsg*>(nlmsg_data(message));
  // IFA_LOCAL is the interface's own; on a point-to-point link IFA_ADDRESS is the other end's.
  const auto ip = detail::address(header->ifa_family,
                                  attribute[IFA_LOCAL] != nullptr ? attribute[IFA_LOCAL] : attribute[IFA_ADDRESS]);
  if (!ip) return std::nullopt;
  // The same bit says "temporary" of an IPv6 address.
  const bool secondary = header->ifa_family == AF_INET && (header->ifa_flags & IFA_F_SECONDARY) != 0;
  return Address{.ifindex = static_cast<int>(header->ifa_index),
                 .ip = *ip,
                 .prefix_length = header->ifa_prefixlen,
                 .secondary = secondary};
}

}  // namespace netlink
