// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.hpp"

#include <event2/event.h>

#include <new>

namespace loop {
namespace {

timeval to_timeval(base::Duration d) {
  if (d < base::Duration::zero()) d = base::Duration::zero();
  const auto us = std::chrono::ceil<std::chrono::microseconds>(d).count();
  return timeval{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
}

event_base* new_base() {
  // Timers to the microsecond: advertisements and leases are timed by them.
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  if (base == nullptr) throw std::bad_alloc();
  return base;
}

// A callback may destroy the object that called it: what runs is kept alive until it returns.
template <typename State>
void fire(evutil_socket_t, short, void* self) {
  const auto keep = static_cast<State*>(self)->callback;
  (*keep)();
}

}  // namespace

void detail::EventDeleter::operator()(event* e) const {
  event_free(e);
}

Loop::Loop() : base_(new_base()) {}
Loop::~Loop() {
  event_base_free(base_);
}
void Loop::run() {
  event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
}
void Loop::stop() {
  event_base_loopbreak(base_);
}

struct Timer::State {
  std::shared_ptr<Callback> callback;
  event_base* base;
  detail::EventPtr handle;

  void arm(short flags, base::Duration d) {
    const timeval t = to_timeval(d);
    handle.reset(event_new(base, -1, flags, fire<State>, this));
    event_add(handle.get(), &t);
  }
};

Timer::Timer(Loop& loop, Callback callback)
    : state_(new State{std::make_shared<Callback>(std::move(callback)), loop.base(), nullptr}) {}
Timer::~Timer() = default;
void Timer::start(base::Duration after) {
  state_->arm(0, after);
}
void Timer::start_every(base::Duration period) {
  state_->arm(EV_PERSIST, period);
}
void Timer::stop() {
  state_->handle.reset();
}
bool Timer::running() const {
  return state_->handle && event_pending(state_->handle.get(), EV_TIMEOUT, nullptr) != 0;
}

struct Watch::State {
  std::shared_ptr<Callback> callback;
  detail::EventPtr handle;
};

Watch::Watch(Loop& loop, int fd, When when, Callback callback)
    : state_(new State{std::make_shared<Callback>(std::move(callback)), nullptr}) {
  const short what = when == When::readable ? EV_READ : EV_WRITE;
  state_->handle.reset(event_new(loop.base(), fd, static_cast<short>(what | EV_PERSIST), fire<State>, state_.get()));
  event_add(state_->handle.get(), nullptr);
}
Watch::~Watch() = default;

struct Signal::State {
  std::shared_ptr<Callback> callback;
  detail::EventPtr handle;
};

Signal::Signal(Loop& loop, int signal, Callback callback)
    : state_(new State{std::make_shared<Callback>(std::move(callback)), nullptr}) {
  state_->handle.reset(event_new(loop.base(), signal, EV_SIGNAL | EV_PERSIST, fire<State>, state_.get()));
  event_add(state_->handle.get(), nullptr);
}
Signal::~Signal() = default;

}  // namespace loop
