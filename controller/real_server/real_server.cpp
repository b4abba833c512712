// SPDX-License-Identifier: Apache-2.0
#include "real_server/real_server.hpp"

#include <fmt/format.h>

namespace real_server {
namespace {

base::Error with_rollback(Host& host, const std::vector<Change>& changes, size_t made, base::Error error) {
  for (size_t i = made; i-- > 0;) {
    if (const auto undone = host.make(inverse(changes[i])); !undone) {
      error.message +=
          fmt::format("\nand it could not be undone that {}: {}", words(changes[i]), undone.error().message);
    }
  }
  return error;
}

// All changes or none.
base::Result<> carry_out(Host& host, const std::vector<Change>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    if (const auto made = host.make(changes[i]); !made) {
      return std::unexpected(with_rollback(host, changes, i, made.error()));
    }
  }
  return {};
}

Lines story(const Plan& plan) {
  Lines lines;
  for (const Change& change : plan.changes) lines.push_back(words(change));
  lines.insert(lines.end(), plan.notes.begin(), plan.notes.end());
  if (lines.empty()) lines.emplace_back("nothing to do");
  return lines;
}

struct Known {
  Network network;
  Saved saved;
};

base::Result<Known> look(Host& host, const StateFile& state) {
  auto saved = state.read();
  if (!saved) return std::unexpected(saved.error());
  auto network = host.network();
  if (!network) return std::unexpected(network.error());
  return Known{.network = std::move(*network), .saved = std::move(*saved)};
}

}  // namespace

// The state is written before the changes: whoever dies in between leaves a record of too much, which does no harm.
base::Result<Lines> add(Host& host, const StateFile& state, const std::set<base::Ip>& vips) {
  const auto known = look(host, state);
  if (!known) return std::unexpected(known.error());
  const auto plan = plan_add(known->network, known->saved, vips);
  if (!plan) return std::unexpected(plan.error());
  if (const auto written = state.write(plan->saved); !written) return std::unexpected(written.error());
  if (auto done = carry_out(host, plan->changes); !done) {
    if (const auto back = state.write(known->saved); !back) done.error().message += "\n" + back.error().message;
    return std::unexpected(done.error());
  }
  return story(*plan);
}

// Here it is written after them, for the same reason.
base::Result<Lines> remove(Host& host, const StateFile& state, const std::set<base::Ip>& vips) {
  const auto known = look(host, state);
  if (!known) return std::unexpected(known.error());
  const Plan plan = plan_remove(known->network, known->saved, vips);
  if (const auto done = carry_out(host, plan.changes); !done) return std::unexpected(done.error());
  if (const auto written = state.write(plan.saved); !written) return std::unexpected(written.error());
  return story(plan);
}

}  // namespace real_server
