// SPDX-License-Identifier: Apache-2.0
// Socket: asks the kernel over netlink and waits for the answer, which the kernel gives at once.
// What can be asked is in links.hpp, addresses.hpp, neighbours.hpp and routes.hpp; monitor.hpp tells of changes.
#pragma once

#include <linux/netlink.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

struct nl_msg;
struct nl_sock;
struct nlattr;
struct nlmsghdr;

namespace netlink {

namespace detail {
struct SocketDeleter {
  void operator()(nl_sock* s) const;
};
struct MessageDeleter {
  void operator()(nl_msg* m) const;
};
using SocketPtr = std::unique_ptr<nl_sock, SocketDeleter>;
using MessagePtr = std::unique_ptr<nl_msg, MessageDeleter>;

base::Result<SocketPtr> connect(int protocol);  // close-on-exec

// A request of `type` with `header` as its fixed part; put() appends an attribute.
MessagePtr make_request(int type, int flags, const void* header, size_t header_size);
void put(nl_msg* message, int attribute, const void* value, size_t size);
inline void put(nl_msg* message, int attribute, std::span<const uint8_t> value) {
  put(message, attribute, value.data(), value.size());
}
// The address that an attribute of a message about `family` holds; nullopt: there is none, or it is not an IP address.
std::optional<base::Ip> address(int family, const nlattr* attribute);
}  // namespace detail

// For one thread. Each call is complete in itself; after an error the socket is good for the next call.
class Socket {
 public:
  static base::Result<Socket> open() { return open(NETLINK_ROUTE); }
  static base::Result<Socket> open(int protocol);

  // For the files of this folder: sends `message` and hands every message of the answer to `on_answer`. Returns 0, or
  // the errno value the kernel refused with; EINTR: a table changed while it was dumped, what came is not consistent.
  using OnAnswer = std::function<void(const nlmsghdr*)>;
  int request(nl_msg* message, const OnAnswer& on_answer = {});

 private:
  Socket(detail::SocketPtr socket, int protocol) : socket_(std::move(socket)), protocol_(protocol) {}
  detail::SocketPtr socket_;
  int protocol_;
};

namespace detail {
// Dumps a table: everything of the answer that `decode` (nlmsghdr → optional<T>) makes something of.
template <typename T, typename Decode>
base::Result<std::vector<T>> dump(Socket& socket, nl_msg* message, Decode decode, const std::string& what) {
  constexpr int kTries = 5;
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    std::vector<T> all;
    error = socket.request(message, [&](const nlmsghdr* answer) {
      if (auto one = decode(answer)) all.push_back(*std::move(one));
    });
    if (error == 0) return all;
    if (error != EINTR) break;
  }
  return base::fail_errno("cannot read the kernel's " + what, error);
}
}  // namespace detail

}  // namespace netlink
