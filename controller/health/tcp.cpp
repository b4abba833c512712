// SPDX-License-Identifier: Apache-2.0
#include "health/tcp.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace health {
namespace {

std::pair<sockaddr_storage, socklen_t> socket_address(const base::Ip& ip, uint16_t port) {
  sockaddr_storage storage{};
  if (ip.is_v6()) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    std::ranges::copy(ip.network(), to.sin6_addr.s6_addr);
    std::memcpy(&storage, &to, sizeof to);
    return {storage, sizeof to};
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = ip.v4().network();
  std::memcpy(&storage, &to, sizeof to);
  return {storage, sizeof to};
}

class TcpProbe : public Probe {
 public:
  TcpProbe(loop::Loop& loop, const base::Ip& address, const model::TcpCheck& check, OnOutcome on_outcome)
      : on_outcome_(std::move(on_outcome)),
        to_(address.str(check.connect_port)),
        timer_(loop, [this] { finish(at_timer_); }) {
    const int error = connect(address, check.connect_port);
    if (error == 0 || error == EINPROGRESS) {
      watch_.emplace(loop, socket_.get(), loop::Watch::When::writable, [this] { finish(outcome(connect_error())); });
      at_timer_ = failed(fmt::format("timed out after {:g} s", base::seconds(check.connect_timeout)));
      timer_.start(check.connect_timeout);
    } else {
      at_timer_ = outcome(error);
      timer_.start(base::Duration::zero());  // not from within the constructor
    }
  }

 private:
  int connect(const base::Ip& address, uint16_t port) {
    socket_.reset(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!socket_) return errno;
    // Closed by a reset: neither side keeps the connection in TIME_WAIT.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0) return errno;
    const auto [to, size] = socket_address(address, port);
    return ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0 ? 0 : errno;
  }

  int connect_error() const {
    int error = 0;
    socklen_t size = sizeof(error);
    return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
  }

  Outcome failed(const std::string& why) const {
    return {.verdict = Verdict::failed, .words = fmt::format("connect to {}: {}", to_, why)};
  }

  Outcome outcome(int error) const {
    if (error == 0) return {.verdict = Verdict::passed, .words = fmt::format("connected to {}", to_)};
    return {.verdict = tcp_verdict(error), .words = base::fail_errno("connect to " + to_, error).error().message};
  }

  void finish(Outcome outcome) {
    timer_.stop();
    watch_.reset();
    socket_.reset();
    on_outcome_(std::move(outcome));
  }

  OnOutcome on_outcome_;
  std::string to_;
  Outcome at_timer_;
  base::Fd socket_;
  std::optional<loop::Watch> watch_;
  loop::Timer timer_;
};

}  // namespace

std::unique_ptr<Probe> start_tcp(loop::Loop& loop, const base::Ip& address, const model::TcpCheck& check,
                                 Probe::OnOutcome on_outcome) {
  return std::make_unique<TcpProbe>(loop, address, check, std::move(on_outcome));
}

Verdict tcp_verdict(int error) {
  switch (error) {
    case 0:
      return Verdict::passed;
    // What a peer's answer, its silence, or an ICMP error from the way to it makes of connect().
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EPROTO:
      return Verdict::failed;
    default:
      return Verdict::unknown;
  }
}

}  // namespace health
