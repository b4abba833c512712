// SPDX-License-Identifier: Apache-2.0
#include "netlink/neighbours.hpp"

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>

namespace netlink {
namespace {

NeighbourState from_kernel(uint16_t nud) {
  switch (nud) {
    case NUD_INCOMPLETE:
      return NeighbourState::incomplete;
    case NUD_REACHABLE:
      return NeighbourState::reachable;
    case NUD_STALE:
      return NeighbourState::stale;
    case NUD_DELAY:
      return NeighbourState::delay;
    case NUD_PROBE:
      return NeighbourState::probe;
    case NUD_FAILED:
      return NeighbourState::failed;
    case NUD_NOARP:
      return NeighbourState::no_arp;
    case NUD_PERMANENT:
      return NeighbourState::permanent;
    default:
      return NeighbourState::none;
  }
}

ndmsg header_of(int ifindex, const base::Ip& ip) {
  ndmsg header{};
  header.ndm_family = static_cast<uint8_t>(ip.family());
  header.ndm_ifindex = ifindex;
  return header;
}

}  // namespace

std::string_view name(NeighbourState state) {
  constexpr std::array<std::string_view, 9> kNames{"NONE",  "INCOMPLETE", "REACHABLE", "STALE",    "DELAY",
                                                   "PROBE", "FAILED",     "NOARP",     "PERMANENT"};
  return kNames.at(static_cast<size_t>(state));
}

base::Result<std::vector<Neighbour>> neighbours(Socket& socket) {
  const ndmsg header{};  // AF_UNSPEC: IPv4 and IPv6
  const auto message = detail::make_request(RTM_GETNEIGH, NLM_F_DUMP, &header, sizeof header);
  return detail::dump<Neighbour>(socket, message.get(), decode_neighbour, "neighbours");
}

base::Result<> probe(Socket& socket, int ifindex, const base::Ip& ip) {
  ndmsg header = header_of(ifindex, ip);
  header.ndm_flags = NTF_USE;
  const auto message = detail::make_request(RTM_NEWNEIGH, NLM_F_CREATE, &header, sizeof header);
  detail::put(message.get(), NDA_DST, ip.network());
  const int error = socket.request(message.get());
  if (error == 0) return {};
  return base::fail_errno(fmt::format("cannot ask for the MAC address of {} on interface {}", ip.str(), ifindex),
                          error);
}

base::Result<> revalidate(Socket& socket, int ifindex, const base::Ip& ip) {
  ndmsg header = header_of(ifindex, ip);
  const auto question = detail::make_request(RTM_GETNEIGH, 0, &header, sizeof header);
  detail::put(question.get(), NDA_DST, ip.network());
  std::optional<Neighbour> known;
  int error = socket.request(question.get(), [&](const nlmsghdr* answer) { known = decode_neighbour(answer); });
  const bool believed = known && (known->state == NeighbourState::reachable || known->state == NeighbourState::stale ||
                                  known->state == NeighbourState::delay);
  if (error == ENOENT || (error == 0 && !believed)) return {};
  if (error == 0) {
    header.ndm_state = NUD_PROBE;
    const auto message = detail::make_request(RTM_NEWNEIGH, NLM_F_REPLACE, &header, sizeof header);
    detail::put(message.get(), NDA_DST, ip.network());
    error = socket.request(message.get());
  }
  if (error == 0) return {};
  return base::fail_errno(fmt::format("cannot revalidate the neighbour {} on interface {}", ip.str(), ifindex), error);
}

std::optional<Neighbour> decode_neighbour(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH) return std::nullopt;
  std::array<nlattr*, NDA_MAX + 1> attribute{};
  if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ndmsg), attribute.data(), NDA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ndmsg*>(nlmsg_data(message));
  const auto ip = detail::address(header->ndm_family, attribute[NDA_DST]);
  if (!ip) return std::nullopt;
  Neighbour neighbour{
      .ifindex = header->ndm_ifindex, .ip = *ip, .mac = std::nullopt, .state = from_kernel(header->ndm_state)};
  const nlattr* mac = attribute[NDA_LLADDR];
  if (mac != nullptr && nla_len(mac) == 6) neighbour.mac = base::Mac::from_bytes(nla_data(mac));
  return neighbour;
}

}  // namespace netlink
