// SPDX-License-Identifier: Apache-2.0
#include "vrrp/problems.hpp"

#include <algorithm>
#include <functional>

namespace vrrp {

bool Problems::seen(std::string_view kind, const base::Ip& peer, std::string text, base::Time now,
                    base::Duration lasts) {
  const auto known =
      std::ranges::find_if(entries_, [&](const Entry& e) { return e.problem.kind == kind && e.problem.peer == peer; });
  if (known != entries_.end()) {
    known->problem.text = std::move(text);
    known->until = now + lasts;
  } else if (entries_.size() < kMost) {
    entries_.push_back({.problem = {.kind = std::string(kind),
                                    .peer = peer,
                                    .text = std::move(text),
                                    .since_unix = base::unix_seconds()},
                        .until = now + lasts});
  }
  return log_limit_.allows(std::hash<std::string_view>()(kind) ^ std::hash<base::Ip>()(peer), now);
}

std::vector<ipc::VrrpProblem> Problems::expire(base::Time now) {
  std::vector<ipc::VrrpProblem> over;
  for (const Entry& entry : entries_) {
    if (entry.until <= now) over.push_back(entry.problem);
  }
  std::erase_if(entries_, [&](const Entry& e) { return e.until <= now; });
  return over;
}

std::vector<ipc::VrrpProblem> Problems::list() const {
  std::vector<ipc::VrrpProblem> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.problem);
  return all;
}

}  // namespace vrrp
