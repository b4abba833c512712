// SPDX-License-Identifier: Apache-2.0
// The control socket: HTTP on a UNIX socket that only root can open.
//   GET  /status                    the document that `xdirector status --json` prints
//   POST /vrrp/INSTANCE/release     begins a planned handover; /resume ends the release
// By hand: curl --unix-socket /run/xdirector/control.sock http://xdirector/status
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "loop/loop.hpp"

struct evhttp;
struct evhttp_request;

namespace control {

class Server {
 public:
  struct Handlers {
    std::function<std::string()> status;  // makes the document anew for each request
    std::function<base::Result<>(const std::string& instance, bool release)> vrrp;
  };
  static base::Result<std::unique_ptr<Server>> start(loop::Loop& loop, Handlers handlers);
  ~Server();

 private:
  explicit Server(Handlers handlers) : handlers_(std::move(handlers)) {}
  void answer(evhttp_request* request) const;

  struct Close {
    void operator()(evhttp* http) const;
  };
  Handlers handlers_;
  std::unique_ptr<evhttp, Close> http_;
};

}  // namespace control
