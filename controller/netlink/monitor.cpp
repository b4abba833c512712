// SPDX-License-Identifier: Apache-2.0
#include "netlink/monitor.hpp"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace netlink {
namespace {

constexpr int kReceiveBuffer = 1 << 20;  // bursts are seldom larger; the one that is leads to on_resync
constexpr int kReadsPerCallback = 64;    // then the loop's other callbacks have their turn

}  // namespace

base::Result<std::unique_ptr<Monitor>> Monitor::start(loop::Loop& loop, Handlers handlers) {
  auto socket = detail::connect(NETLINK_ROUTE);
  if (!socket) return std::unexpected(socket.error());
  nl_sock* s = socket->get();
  nl_socket_disable_seq_check(s);  // events carry no sequence numbers
  int error = nl_socket_set_nonblocking(s);
  if (error == 0) error = nl_socket_set_buffer_size(s, kReceiveBuffer, 0);
  if (error == 0 && handlers.on_link) error = nl_socket_add_membership(s, RTNLGRP_LINK);
  if (error == 0 && handlers.on_address)
    error = nl_socket_add_memberships(s, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
  if (error == 0 && handlers.on_neighbour) error = nl_socket_add_membership(s, RTNLGRP_NEIGH);
  if (error < 0) return base::fail(std::string("cannot subscribe to the kernel's changes: ") + nl_geterror(error));
  return std::make_unique<Monitor>(loop, *std::move(socket), std::move(handlers));
}

Monitor::Monitor(loop::Loop& loop, detail::SocketPtr socket, Handlers handlers)
    : socket_(std::move(socket)),
      handlers_(std::move(handlers)),
      watch_(loop, nl_socket_get_fd(socket_.get()), loop::Watch::When::readable, [this] { readable(); }) {
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, this);
}

Monitor::~Monitor() = default;

void Monitor::readable() {
  for (int i = 0; i < kReadsPerCallback; ++i) {
    const int result = nl_recvmsgs_default(socket_.get());
    if (result == -NLE_AGAIN) return;
    // ENOBUFS (which libnl calls "no memory") says that events were lost; anything else may have cost some, too.
    if (result < 0) return handlers_.on_resync();
  }
}

int Monitor::on_message(nl_msg* message, void* self) {
  static_cast<Monitor*>(self)->dispatch(nlmsg_hdr(message));
  return NL_OK;
}

void Monitor::dispatch(const nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (const auto link = decode_link(message); link && handlers_.on_link) {
        handlers_.on_link(message->nlmsg_type == RTM_DELLINK ? Change::gone : Change::present, *link);
      }
      return;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (const auto address = decode_address(message); address && handlers_.on_address) {
        handlers_.on_address(message->nlmsg_type == RTM_DELADDR ? Change::gone : Change::present, *address);
      }
      return;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      if (const auto neighbour = decode_neighbour(message); neighbour && handlers_.on_neighbour) {
        handlers_.on_neighbour(message->nlmsg_type == RTM_DELNEIGH ? Change::gone : Change::present, *neighbour);
      }
      return;
    default:
      return;
  }
}

}  // namespace netlink
