// SPDX-License-Identifier: Apache-2.0
// The event loop of a process: timers, readable descriptors and signals as owned objects over libevent.
// An object that is destroyed never calls back again. Callbacks run on the thread in run(), one after another.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.hpp"

struct event;
struct event_base;

namespace loop {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop()
  void stop();  // after the callback in progress
  event_base* base() const { return base_; }

 private:
  event_base* base_;
};

namespace detail {
struct EventDeleter {
  void operator()(event* e) const;
};
using EventPtr = std::unique_ptr<event, EventDeleter>;
}  // namespace detail

// Calls back once after start(), or again and again after start_every(). Starting anew replaces what was set.
class Timer {
 public:
  using Callback = std::function<void()>;
  Timer(Loop& loop, Callback callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(base::Duration after);
  void start_every(base::Duration period);
  void stop();
  bool running() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls back while `fd` is readable (or writable). Does not own the descriptor; destroy the watch before closing it.
class Watch {
 public:
  enum class When { readable, writable };
  using Callback = std::function<void()>;
  Watch(Loop& loop, int fd, When when, Callback callback);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Signal {
 public:
  using Callback = std::function<void()>;
  Signal(Loop& loop, int signal, Callback callback);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace loop
