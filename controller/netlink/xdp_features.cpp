// SPDX-License-Identifier: Apache-2.0
#include "netlink/xdp_features.hpp"

#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <string_view>

#include "netlink/socket.hpp"

namespace netlink {
namespace {

// Of linux/netdev.h, which the headers of Linux 6.1 do not have.
constexpr std::string_view kFamily{"netdev", sizeof "netdev"};  // the end of the text is part of it
constexpr uint8_t kDevGet = 1;
constexpr int kIfindex = 1, kXdpFeatures = 3;
enum Feature : uint64_t { kBasic = 1, kNdoXmit = 4, kRxSg = 32, kNdoXmitSg = 64 };

struct Question {
  int family = 0;
  uint8_t command = 0;
  int with = 0;  // the attribute that says of whom
  std::string_view value;
  int wanted = 0;  // the attribute that answers
};

template <typename T>
std::optional<T> ask(Socket& socket, const Question& question) {
  const genlmsghdr header{.cmd = question.command, .version = 1, .reserved = 0};
  const auto message = detail::make_request(question.family, 0, &header, sizeof header);
  detail::put(message.get(), question.with, question.value.data(), question.value.size());
  std::optional<T> answer;
  socket.request(message.get(), [&](const nlmsghdr* reply) {
    nlattr* found = nlmsg_find_attr(const_cast<nlmsghdr*>(reply), GENL_HDRLEN, question.wanted);
    T value{};
    if (found != nullptr && nla_memcpy(&value, found, sizeof value) == sizeof value) answer = value;
  });
  return answer;
}

}  // namespace

std::optional<XdpFeatures> xdp_features(int ifindex) {
  auto socket = Socket::open(NETLINK_GENERIC);
  if (!socket) return std::nullopt;
  const auto family =
      ask<uint16_t>(*socket, {GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, kFamily, CTRL_ATTR_FAMILY_ID});
  if (!family) return std::nullopt;
  const std::string_view index(reinterpret_cast<const char*>(&ifindex), sizeof ifindex);
  const auto features = ask<uint64_t>(*socket, {*family, kDevGet, kIfindex, index, kXdpFeatures});
  if (!features) return std::nullopt;
  return XdpFeatures{.native = (*features & kBasic) != 0,
                     .multi_buffer = (*features & kRxSg) != 0,
                     .sends = (*features & kNdoXmit) != 0,
                     .sends_multi_buffer = (*features & kNdoXmitSg) != 0};
}

}  // namespace netlink
