// SPDX-License-Identifier: Apache-2.0
// Monitor: tells of changes to links, addresses and neighbours, from one socket on the loop.
#pragma once

#include <functional>
#include <memory>

#include "loop/loop.hpp"
#include "netlink/addresses.hpp"
#include "netlink/links.hpp"
#include "netlink/neighbours.hpp"

namespace netlink {

enum class Change { present, gone };  // new or changed; removed

class Monitor {
 public:
  // Only what has a handler is subscribed to. A handler must not destroy the monitor.
  struct Handlers {
    std::function<void(Change, const Link&)> on_link = {};
    std::function<void(Change, const Address&)> on_address = {};
    std::function<void(Change, const Neighbour&)> on_neighbour = {};
    std::function<void()> on_resync = {};  // events were lost: read all again. Required.
  };

  // Start it first and read the tables afterwards: then nothing falls between.
  static base::Result<std::unique_ptr<Monitor>> start(loop::Loop& loop, Handlers handlers);

  Monitor(loop::Loop& loop, detail::SocketPtr socket, Handlers handlers);  // used by start()
  ~Monitor();

 private:
  void readable();
  void dispatch(const nlmsghdr* message);
  static int on_message(nl_msg* message, void* self);

  detail::SocketPtr socket_;
  Handlers handlers_;
  loop::Watch watch_;
};

}  // namespace netlink
