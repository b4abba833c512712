// SPDX-License-Identifier: Apache-2.0
// `xdirector run`: the control plane. Configuration, health, neighbours and roles come in, tables go out; the workers
// are started and watched; status is given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "dataplane/attach.hpp"
#include "ipc/messages.hpp"

namespace control {

struct Options {
  std::string config_file;
  base::log::Level log_level = base::log::Level::info;
  std::optional<dataplane::Mode> xdp_mode;  // nullopt: native, generic where the driver has no native XDP
  bool keep_forwarding = false;             // leave program and maps when stopping

  // Says goodbye in the vrrp worker's stead: priority 0, addresses off. Its leases have been ended before.
  std::function<base::Result<>(const std::vector<ipc::VrrpAssignment>&)> farewell;
};

int run(const Options& options);  // the exit code

// Takes program, maps and left-over virtual addresses off, without a daemon. An error when one is running.
struct Detached {
  bool program = false;               // false: there was none
  std::vector<base::Ip> served_here;  // virtual addresses for which this director was a real server, too
};
base::Result<Detached> detach();

}  // namespace control
