// SPDX-License-Identifier: Apache-2.0
// The program on an interface, held by a pinned link: attached, taken over from an earlier run, taken off.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace dataplane {

enum class Mode { native, generic };
std::string_view name(Mode mode);

struct Attached {
  Mode mode = Mode::native;
  bool adopted = false;  // a link of an earlier run was updated: no packet passed without a program
  std::string warning;   // why it is not native; empty otherwise
};

// Puts `program` on the interface, or makes it the program of the link that is pinned for it.
// `wanted` nullopt: native, generic where the driver has no native XDP. Refuses an interface that another program
// holds. On an error what ran there before still runs, unless the driver takes neither.
base::Result<Attached> attach(int program, uint32_t ifindex, const std::string& interface, std::optional<Mode> wanted);

// Is the pinned link of this interface still on it? One of an interface that was deleted is not, even where another has
// its number now.
bool is_attached(uint32_t ifindex);

void detach(uint32_t ifindex);

// Takes off every pinned link whose interface is not in `keep`, those of interfaces that are gone included.
void detach_others(const std::set<uint32_t>& keep);

// Takes every link off and removes all maps: forwarding ends, nothing stays. False: there was nothing.
bool detach_all();

}  // namespace dataplane
