// SPDX-License-Identifier: Apache-2.0
#include "health/worker.hpp"

#include <cap-ng.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "health/targets.hpp"
#include "health/tcp.hpp"
#include "ipc/worker.hpp"

namespace health {
namespace {

constexpr int kNobody = 65534;  // user and group

std::unique_ptr<Probe> start_probe(loop::Loop& loop, const ipc::HealthTarget& target, const model::TcpCheck& check,
                                   Probe::OnOutcome on_outcome) {
  return start_tcp(loop, target.address, check, std::move(on_outcome));
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

base::Result<> drop_privileges() {
  capng_clear(CAPNG_SELECT_ALL);
  const auto flags = static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
  if (const int error = capng_change_id(kNobody, kNobody, flags); error != 0) {
    return base::fail(
        fmt::format("cannot become nobody and drop all capabilities (libcap-ng error {}); "
                    "`xdirector run` starts this process and must be root",
                    error));
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::fail_errno("cannot set no_new_privs");
  return {};
}

int run_worker(base::log::Level level) {
  base::log::start("health", level);
  raise_descriptor_limit();

  loop::Loop loop;
  std::unique_ptr<Targets> targets;
  ipc::Worker worker(loop, [&](const ipc::Message& message, const base::Fd&) {
    if (const auto* configure = std::get_if<ipc::ConfigureHealth>(&message)) {
      targets->configure(configure->targets);
    } else if (std::holds_alternative<ipc::Stop>(message)) {
      loop.stop();
    }
  });
  if (const auto dropped = drop_privileges(); !dropped) {
    base::log::error("{}", dropped.error().message);
    return 1;
  }
  ipc::Worker::tie_to_parent();

  targets = std::make_unique<Targets>(loop, start_probe, [&](const ipc::HealthReport& report) { worker.send(report); });
  loop.run();
  return 0;
}

}  // namespace health
