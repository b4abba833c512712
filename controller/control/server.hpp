// SPDX-License-Identifier: Apache-2.0
// The control socket: HTTP on a UNIX socket that only root can open. GET /status is all there is.
// By hand: curl --unix-socket /run/xdirector/control.sock http://xdirector/status
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "loop/loop.hpp"

struct evhttp;

namespace control {

class Server {
 public:
  // `status` makes the document anew for each request.
  static base::Result<std::unique_ptr<Server>> start(loop::Loop& loop, std::function<std::string()> status);
  ~Server();

 private:
  explicit Server(std::function<std::string()> status) : status_(std::move(status)) {}

  struct Close {
    void operator()(evhttp* http) const;
  };
  std::function<std::string()> status_;
  std::unique_ptr<evhttp, Close> http_;
};

}  // namespace control
