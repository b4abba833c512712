// SPDX-License-Identifier: Apache-2.0
#include "netlink/links.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>

namespace netlink {

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
            .running = (header->ifi_flags & IFF_RUNNING) != 0};
  if (attribute[IFLA_ADDRESS] != nullptr && nla_len(attribute[IFLA_ADDRESS]) == 6) {
    link.mac = base::Mac::from_bytes(nla_data(attribute[IFLA_ADDRESS]));
  }
  return link;
}

}  // namespace netlink
