// SPDX-License-Identifier: Apache-2.0
#include "netlink/links.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>

namespace netlink {
namespace {

// The attributes within `nest`, by their number; none where there is no nest.
template <size_t N>
std::array<nlattr*, N> nested(nlattr* nest) {
  std::array<nlattr*, N> attribute{};
  if (nest == nullptr || nla_parse_nested(attribute.data(), N - 1, nest, nullptr) < 0) attribute.fill(nullptr);
  return attribute;
}

// What only interfaces of its kind have. A parent in another namespace has a number that means another one here.
void decode_kind(Link& link, nlattr* info_nest, const nlattr* parent, bool parent_is_elsewhere) {
  const auto info = nested<IFLA_INFO_MAX + 1>(info_nest);
  if (info[IFLA_INFO_KIND] != nullptr) link.kind = nla_get_string(info[IFLA_INFO_KIND]);
  if (link.kind == "vlan") {
    const auto data = nested<IFLA_VLAN_MAX + 1>(info[IFLA_INFO_DATA]);
    link.vlan.emplace();
    if (data[IFLA_VLAN_ID] != nullptr) link.vlan->id = nla_get_u16(data[IFLA_VLAN_ID]);
    if (parent != nullptr && !parent_is_elsewhere) link.vlan->parent = static_cast<int>(nla_get_u32(parent));
  } else if (link.kind == "macvlan") {
    if (parent != nullptr && !parent_is_elsewhere) link.macvlan_base = static_cast<int>(nla_get_u32(parent));
  } else if (link.kind == "bond") {
    const auto data = nested<IFLA_BOND_MAX + 1>(info[IFLA_INFO_DATA]);
    link.bond.emplace();
    if (data[IFLA_BOND_MODE] != nullptr) link.bond->mode = nla_get_u8(data[IFLA_BOND_MODE]);
    if (data[IFLA_BOND_XMIT_HASH_POLICY] != nullptr) {
      link.bond->hash_policy = nla_get_u8(data[IFLA_BOND_XMIT_HASH_POLICY]);
    }
  }
}

}  // namespace

base::Result<std::vector<Link>> links(Socket& socket) {
  const ifinfomsg header{};  // AF_UNSPEC
  const auto message = detail::make_request(RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
  return detail::dump<Link>(socket, message.get(), decode_link, "links");
}

base::Result<std::optional<Link>> find_link(Socket& socket, const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const ifinfomsg header{};  // AF_UNSPEC
  const auto message = detail::make_request(RTM_GETLINK, 0, &header, sizeof header);
  detail::put(message.get(), IFLA_IFNAME, name.c_str(), name.size() + 1);
  std::optional<Link> found;
  const int error = socket.request(message.get(), [&](const nlmsghdr* answer) { found = decode_link(answer); });
  if (error != 0 && error != ENODEV) return base::fail_errno("cannot look for interface " + name, error);
  return found;
}

std::optional<Link> decode_link(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return std::nullopt;
  std::array<nlattr*, IFLA_MAX + 1> attribute{};
  if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifinfomsg), attribute.data(), IFLA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
  if (header->ifi_family == AF_BRIDGE || attribute[IFLA_IFNAME] == nullptr) return std::nullopt;
  Link link{.index = header->ifi_index,
            .name = nla_get_string(attribute[IFLA_IFNAME]),
            .mac = {},
            .up = (header->ifi_flags & IFF_UP) != 0,
            .running = (header->ifi_flags & IFF_RUNNING) != 0,
            .ethernet = header->ifi_type == ARPHRD_ETHER};
  if (attribute[IFLA_ADDRESS] != nullptr && nla_len(attribute[IFLA_ADDRESS]) == 6) {
    link.mac = base::Mac::from_bytes(nla_data(attribute[IFLA_ADDRESS]));
  }
  if (attribute[IFLA_IFALIAS] != nullptr) link.alias = nla_get_string(attribute[IFLA_IFALIAS]);
  if (attribute[IFLA_MTU] != nullptr) link.mtu = nla_get_u32(attribute[IFLA_MTU]);
  if (attribute[IFLA_MASTER] != nullptr) link.master = static_cast<int>(nla_get_u32(attribute[IFLA_MASTER]));
  decode_kind(link, attribute[IFLA_LINKINFO], attribute[IFLA_LINK], attribute[IFLA_LINK_NETNSID] != nullptr);
  return link;
}

}  // namespace netlink
