// SPDX-License-Identifier: Apache-2.0
#include "netlink/socket.hpp"

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <new>

namespace netlink {
namespace {

// What one request has come to, filled in by libnl's callbacks.
struct Exchange {
  const Socket::OnAnswer& on_answer;
  bool done = false;
  int error = 0;  // errno
};

int on_valid(nl_msg* message, void* exchange) {
  const auto& on_answer = static_cast<Exchange*>(exchange)->on_answer;
  if (on_answer) on_answer(nlmsg_hdr(message));
  return NL_OK;
}

int on_end(nl_msg*, void* exchange) {
  static_cast<Exchange*>(exchange)->done = true;
  return NL_STOP;
}

int on_error(sockaddr_nl*, nlmsgerr* message, void* exchange) {
  auto* e = static_cast<Exchange*>(exchange);
  e->done = true;
  e->error = -message->error;
  return NL_STOP;
}

struct CallbackDeleter {
  void operator()(nl_cb* cb) const { nl_cb_put(cb); }
};

}  // namespace

namespace detail {

void SocketDeleter::operator()(nl_sock* s) const {
  nl_socket_free(s);
}
void MessageDeleter::operator()(nl_msg* m) const {
  nlmsg_free(m);
}

base::Result<SocketPtr> connect(int protocol) {
  SocketPtr socket(nl_socket_alloc());
  if (!socket) throw std::bad_alloc();
  if (const int error = nl_connect(socket.get(), protocol); error < 0) {
    return base::fail(std::string("cannot open a netlink socket: ") + nl_geterror(error));
  }
  return socket;
}

MessagePtr make_request(int type, int flags, const void* header, size_t header_size) {
  MessagePtr message(nlmsg_alloc_simple(type, flags));
  if (!message || nlmsg_append(message.get(), const_cast<void*>(header), header_size, NLMSG_ALIGNTO) < 0) {
    throw std::bad_alloc();
  }
  return message;
}

void put(nl_msg* message, int attribute, const void* value, size_t size) {
  if (nla_put(message, attribute, static_cast<int>(size), value) < 0) throw std::bad_alloc();
}

std::optional<base::Ip> address(int family, const nlattr* attribute) {
  if ((family != AF_INET && family != AF_INET6) || attribute == nullptr) return std::nullopt;
  const auto ip = base::Ip::from_network(nla_data(attribute), static_cast<size_t>(nla_len(attribute)));
  return ip && ip->family() == family ? ip : std::nullopt;
}

}  // namespace detail

base::Result<Socket> Socket::open(int protocol) {
  auto socket = detail::connect(protocol);
  if (!socket) return std::unexpected(socket.error());
  return Socket(*std::move(socket), protocol);
}

int Socket::request(nl_msg* message, const OnAnswer& on_answer) {
  Exchange exchange{.on_answer = on_answer};
  const std::unique_ptr<nl_cb, CallbackDeleter> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) return ENOMEM;
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, &exchange);
  nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_end, &exchange);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_end, &exchange);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &exchange);

  nlmsg_hdr(message)->nlmsg_seq = NL_AUTO_SEQ;  // also when it is sent a second time
  int result = nl_send_auto(socket_.get(), message);
  while (result >= 0 && !exchange.done) result = nl_recvmsgs(socket_.get(), callbacks.get());
  if (exchange.done) return result == -NLE_DUMP_INTR ? EINTR : exchange.error;

  // The socket itself failed: what is left of the answer must not be taken for that of the next request.
  nl_close(socket_.get());
  return nl_connect(socket_.get(), protocol_) < 0 ? EBADF : EIO;
}

}  // namespace netlink
