// SPDX-License-Identifier: Apache-2.0
#include "vrrp/privileges.hpp"

#include <cap-ng.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

#include "base/log.hpp"

namespace vrrp {
namespace {

namespace log = base::log;

constexpr int kRealTimePriority = 1;  // above everything that is not real-time

std::string why() {
  return std::generic_category().message(errno);
}

// A page that must first come from disk could come too late for an advertisement.
void lock_memory() {
  // With a limit, later growth (even of the stack) would be refused: then rather no lock.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0 || mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    log::info("memory is not locked: {}", why());
  }
}

volatile std::sig_atomic_t given_up = 0;

extern "C" void give_up_real_time(int) {
  const sched_param none{};
  sched_setscheduler(0, SCHED_OTHER, &none);
  given_up = 1;
}

void take_real_time_priority() {
  std::signal(SIGXCPU, give_up_real_time);
  const rlimit run{std::chrono::microseconds(kLongestRun).count(), RLIM_INFINITY};
  const sched_param priority{.sched_priority = kRealTimePriority};
  if (setrlimit(RLIMIT_RTTIME, &run) != 0 || sched_setscheduler(0, SCHED_RR, &priority) != 0) {
    log::warning("no real-time priority ({}): on a busy machine advertisements can be late", why());
  }
}

void drop_capabilities() {
  capng_clear(CAPNG_SELECT_BOTH);
  capng_updatev(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_ADMIN, CAP_NET_RAW,
                -1);
  if (capng_apply(CAPNG_SELECT_BOTH) != 0) log::warning("cannot drop capabilities: {}", why());
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) log::warning("cannot rule out new privileges: {}", why());
}

}  // namespace

void settle_privileges() {
  lock_memory();
  take_real_time_priority();
  drop_capabilities();
}

bool gave_up_real_time() {
  const bool yes = given_up != 0;
  given_up = 0;
  return yes;
}

}  // namespace vrrp
