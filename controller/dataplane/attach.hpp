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
  bool adopted = false;       // a link that was there was updated: no packet passed without a program
  bool multi_buffer = false;  // the program for frames of several buffers runs
  std::string warning;        // why it is not native; empty otherwise
};

// The largest MTU whose frames lie in one page in most drivers, beside what XDP needs there.
inline constexpr uint32_t kLargestPageMtu = 3498;

// The same program twice, as descriptors.
struct Programs {
  int plain = -1;
  int multi_buffer = -1;  // takes frames of several buffers, for an MTU that does not fit in one
};

struct Place {
  uint32_t ifindex = 0;
  std::string interface;  // its name
  uint32_t mtu = 0;
};

// Puts a program on the interface, or makes it the program of the link that is pinned for it: the plain one where the
// MTU is small, else the other, and the second of both where the driver refuses the first.
// `wanted` nullopt: native, generic where the driver has no native XDP. Refuses an interface that another program
// holds. On an error what ran there before still runs, unless the driver takes neither.
base::Result<Attached> attach(const Programs& programs, const Place& place, std::optional<Mode> wanted);

// Is the pinned link of this interface still on it? One of an interface that was deleted is not, even where another has
// its number now.
bool is_attached(uint32_t ifindex);

void detach(uint32_t ifindex);

// Takes off every pinned link whose interface is not in `keep`, those of interfaces that are gone included.
void detach_others(const std::set<uint32_t>& keep);

// Takes every link and every filter at an exit off and removes all maps: forwarding ends, nothing stays. False: there
// was nothing.
bool detach_all();

}  // namespace dataplane
