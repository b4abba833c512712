// SPDX-License-Identifier: Apache-2.0
#include "control/server.hpp"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/fd.hpp"
#include "control/paths.hpp"

namespace control {
namespace {

constexpr int kTimeoutSeconds = 5;  // a client that does not read does not stay

base::Result<base::Fd> listen_on_control_socket() {
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, kControlSocket, sizeof address.sun_path - 1);
  unlink(kControlSocket);  // of a run that crashed: we hold the lock
  const mode_t before = umask(0177);
  const int error = bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(before);
  if (error != 0 || listen(socket.get(), 16) != 0)
    return base::fail_errno(std::string("cannot listen on ") + kControlSocket);
  return socket;
}

void reply(evhttp_request* request, int code, const char* type, const std::string& text) {
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
  evbuffer_add(evhttp_request_get_output_buffer(request), text.data(), text.size());
  evhttp_send_reply(request, code, nullptr, nullptr);
}

// "/vrrp/VI_1/release" → "VI_1", true.
struct VrrpRequest {
  std::string instance;
  bool release = false;
};
std::optional<VrrpRequest> parse_vrrp(std::string_view path) {
  constexpr std::string_view kBegin = "/vrrp/", kRelease = "/release", kResume = "/resume";
  if (!path.starts_with(kBegin)) return std::nullopt;
  path.remove_prefix(kBegin.size());
  const bool release = path.ends_with(kRelease);
  if (!release && !path.ends_with(kResume)) return std::nullopt;
  path.remove_suffix(release ? kRelease.size() : kResume.size());
  const std::unique_ptr<char, decltype(&free)> name(evhttp_uridecode(std::string(path).c_str(), 0, nullptr), &free);
  if (!name) return std::nullopt;
  return VrrpRequest{name.get(), release};
}

}  // namespace

void Server::answer(evhttp_request* request) const {
  const std::string_view path = evhttp_request_get_uri(request);
  const bool get = evhttp_request_get_command(request) == EVHTTP_REQ_GET;
  if (get && path == "/status") return reply(request, HTTP_OK, "application/json", handlers_.status());
  const auto vrrp = parse_vrrp(path);
  if (get || !vrrp) return reply(request, HTTP_NOTFOUND, "text/plain", "there is no such thing here\n");
  const base::Result<> done = handlers_.vrrp(vrrp->instance, vrrp->release);
  if (!done) return reply(request, HTTP_NOTFOUND, "text/plain", done.error().message + "\n");
  reply(request, HTTP_OK, "text/plain", "");
}

void Server::Close::operator()(evhttp* http) const {
  evhttp_free(http);
}

base::Result<std::unique_ptr<Server>> Server::start(loop::Loop& loop, Handlers handlers) {
  base::Result<base::Fd> socket = listen_on_control_socket();
  if (!socket) return std::unexpected(socket.error());
  std::unique_ptr<Server> server(new Server(std::move(handlers)));
  server->http_.reset(evhttp_new(loop.base()));
  evhttp_set_allowed_methods(server->http_.get(), EVHTTP_REQ_GET | EVHTTP_REQ_POST);
  evhttp_set_timeout(server->http_.get(), kTimeoutSeconds);
  evhttp_set_max_body_size(server->http_.get(), 0);
  evhttp_set_max_headers_size(server->http_.get(), 8192);
  evhttp_set_gencb(
      server->http_.get(), [](evhttp_request* request, void* self) { static_cast<Server*>(self)->answer(request); },
      server.get());
  if (evhttp_accept_socket(server->http_.get(), socket->get()) != 0)
    return base::fail("cannot serve the control socket");
  socket->release();  // evhttp's now
  return server;
}

Server::~Server() {
  unlink(kControlSocket);
}

}  // namespace control
