// SPDX-License-Identifier: Apache-2.0
// What is wrong between an instance and other routers, as long as it goes on: for `status`, and once in a while for
// the log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipc/messages.hpp"
#include "vrrp/log_limit.hpp"

namespace vrrp {

class Problems {
 public:
  // Seen again, or for the first time; by whom and how it is said in full. It is over when it has not been seen for
  // `lasts`. True: it is worth a line in the log.
  bool seen(std::string_view kind, const base::Ip& peer, std::string text, base::Time now, base::Duration lasts);

  // Forgets those that are over, and returns them.
  std::vector<ipc::VrrpProblem> expire(base::Time now);

  std::vector<ipc::VrrpProblem> list() const;

 private:
  static constexpr size_t kMost = 16;  // whoever forges addresses fills no memory
  struct Entry {
    ipc::VrrpProblem problem;
    base::Time until;
  };
  std::vector<Entry> entries_;
  LogLimit log_limit_;
};

}  // namespace vrrp
