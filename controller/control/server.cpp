// SPDX-License-Identifier: Apache-2.0
#include "control/server.hpp"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

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

}  // namespace

void Server::Close::operator()(evhttp* http) const {
  evhttp_free(http);
}

base::Result<std::unique_ptr<Server>> Server::start(loop::Loop& loop, std::function<std::string()> status) {
  base::Result<base::Fd> socket = listen_on_control_socket();
  if (!socket) return std::unexpected(socket.error());
  std::unique_ptr<Server> server(new Server(std::move(status)));
  server->http_.reset(evhttp_new(loop.base()));
  evhttp_set_allowed_methods(server->http_.get(), EVHTTP_REQ_GET);
  evhttp_set_timeout(server->http_.get(), kTimeoutSeconds);
  evhttp_set_max_body_size(server->http_.get(), 0);
  evhttp_set_max_headers_size(server->http_.get(), 8192);
  evhttp_set_cb(
      server->http_.get(), "/status",
      [](evhttp_request* request, void* self) {
        const std::string text = static_cast<Server*>(self)->status_();
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
        evbuffer_add(evhttp_request_get_output_buffer(request), text.data(), text.size());
        evhttp_send_reply(request, HTTP_OK, "OK", nullptr);
      },
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
