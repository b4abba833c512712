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

// Who put an address there (`ip address add ... proto`). The kernel only keeps it; keepalived's is 18.
constexpr uint8_t kOurProtocol = 112;  // as VRRP's among the protocols of IP

detail::MessagePtr address_request(int type, int flags, int ifindex, const NewAddress& address) {
  const base::Ip& ip = address.ip;
  // IPv6: no duplicate address detection, for a virtual address is on several hosts and wanted at once.
  const ifaddrmsg header{.ifa_family = static_cast<uint8_t>(ip.family()),
                         .ifa_prefixlen = address.prefix_length,
                         .ifa_flags = static_cast<uint8_t>(ip.is_v6() ? IFA_F_NODAD : 0),
                         .ifa_scope = address.scope,
                         .ifa_index = static_cast<uint32_t>(ifindex)};
  auto message = detail::make_request(type, flags, &header, sizeof header);
  detail::put(message.get(), IFA_LOCAL, ip.network());
  detail::put(message.get(), IFA_ADDRESS, ip.network());
  return message;
}

bool is_link_local(const base::Ip& ip) {
  return ip.is_v6() && ip.bytes()[0] == 0xfe && (ip.bytes()[1] & 0xc0) == 0x80;
}

// IPv6 only: it may not be used, by the bits in which duplicate address detection tells of itself.
bool is_unusable(const ifaddrmsg& header) {
  const bool tentative = (header.ifa_flags & IFA_F_TENTATIVE) != 0 && (header.ifa_flags & IFA_F_OPTIMISTIC) == 0;
  return header.ifa_family == AF_INET6 && (tentative || (header.ifa_flags & IFA_F_DADFAILED) != 0);
}

}  // namespace

base::Result<std::vector<Address>> addresses(Socket& socket) {
  const ifaddrmsg header{};  // AF_UNSPEC: IPv4 and IPv6
  const auto message = detail::make_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof header);
  return detail::dump<Address>(socket, message.get(), decode_address, "addresses");
}

std::optional<base::Ip> primary_address(const std::vector<Address>& all, int ifindex, int family,
                                        const std::vector<base::Ip>& except) {
  std::optional<base::Ip> first;
  for (const Address& address : all) {
    if (address.ifindex != ifindex || address.ip.family() != family || address.secondary) continue;
    if (!address.usable || address.ours || std::ranges::find(except, address.ip) != except.end()) continue;
    if (address.ip.is_v6() && !is_link_local(address.ip)) continue;
    if (address.prefix_length < address.ip.bits()) return address.ip;
    if (!first) first = address.ip;
  }
  return first;
}

base::Result<Added> add_address(Socket& socket, int ifindex, const NewAddress& address) {
  const base::Ip& ip = address.ip;
  const auto message = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address);
  detail::put(message.get(), IFA_PROTO, &kOurProtocol, sizeof kOurProtocol);
  if (!address.label.empty()) detail::put(message.get(), IFA_LABEL, address.label.c_str(), address.label.size() + 1);
  if (address.broadcast) detail::put(message.get(), IFA_BROADCAST, base::Ip(*address.broadcast).network());
  // Deprecated: the kernel would prefer a /128 as the source of its own connections, health checks among them.
  const ifa_cacheinfo lifetimes{.ifa_prefered = 0, .ifa_valid = 0xffffffff, .cstamp = 0, .tstamp = 0};
  if (ip.is_v6()) detail::put(message.get(), IFA_CACHEINFO, &lifetimes, sizeof lifetimes);
  const int error = socket.request(message.get());
  if (error == 0) return Added::now;
  if (error == EEXIST) return Added::before;
  if (error == EACCES && ip.is_v6()) {
    return base::fail(
        fmt::format("cannot add {} to interface {}: IPv6 is disabled there (sysctl net.ipv6.conf.*.disable_ipv6)",
                    ip.str(), ifindex));
  }
  return base::fail_errno(fmt::format("cannot add {}/{} to interface {}", ip.str(), address.prefix_length, ifindex),
                          error);
}

base::Result<Removed> remove_address(Socket& socket, const Address& address) {
  const auto message = address_request(RTM_DELADDR, 0, address.ifindex, {address.ip, address.prefix_length});
  const int error = socket.request(message.get());
  if (error == 0) return Removed::now;
  if (error == EADDRNOTAVAIL || error == ENODEV) return Removed::before;
  return base::fail_errno(
      fmt::format("cannot remove {}/{} from interface {}", address.ip.str(), address.prefix_length, address.ifindex),
      error);
}

base::Result<Removed> remove_address(Socket& socket, int ifindex, const base::Ip& ip, Whose whose) {
  const auto all = addresses(socket);
  if (!all) return std::unexpected(all.error());
  Removed removed = Removed::before;
  for (const Address& address : *all) {
    if (address.ifindex != ifindex || address.ip != ip || (whose == Whose::ours && !address.ours)) continue;
    const auto done = remove_address(socket, address);
    if (!done) return done;
    if (*done == Removed::now) removed = Removed::now;
  }
  return removed;
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
                 .secondary = secondary,
                 .usable = !is_unusable(*header),
                 .ours = attribute[IFA_PROTO] != nullptr && nla_get_u8(attribute[IFA_PROTO]) == kOurProtocol};
}

}  // namespace netlink
