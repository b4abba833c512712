// SPDX-License-Identifier: Apache-2.0
// Channel: messages and descriptors over one end of a SOCK_SEQPACKET pair. A text too long for one packet travels in a
// memory file.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/messages.hpp"
#include "loop/loop.hpp"

namespace ipc {

inline constexpr int kWorkerFd = 3;  // where a worker finds its end

class Channel {
 public:
  struct Handlers {
    std::function<void(Message, base::Fd)> on_message;  // the descriptor that came along, if any
    std::function<void()> on_closed;                    // the other process is gone; nothing comes after it
  };

  // Both ends close-on-exec and non-blocking.
  static base::Result<std::pair<base::Fd, base::Fd>> make_pair();

  // Destroying the channel inside a handler is allowed.
  Channel(loop::Loop& loop, base::Fd fd, Handlers handlers);

  // Never blocks: what the socket does not take now waits in order. An error means that the other end is gone, or has
  // not read for so long that kLongestQueue messages wait. `attached` is borrowed and sent along when it is not -1.
  static constexpr size_t kLongestQueue = 65536;
  base::Result<> send(const Message& message, int attached = -1);
  bool congested() const { return !waiting_.empty(); }

 private:
  struct Outgoing {
    std::string bytes;
    std::vector<base::Fd> fds;
  };
  static base::Result<Outgoing> pack(const Message& message, int attached);
  int transmit(const Outgoing& packet);  // 0, or an errno value
  void readable();
  void writable();

  loop::Loop& loop_;
  base::Fd fd_;
  std::shared_ptr<Handlers> handlers_;
  std::optional<loop::Watch> watch_;
  std::deque<Outgoing> waiting_;
  std::optional<loop::Watch> writable_;
};

}  // namespace ipc
