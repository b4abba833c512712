// SPDX-License-Identifier: Apache-2.0
// What the vrrp worker keeps and gives up of its rights, before it reads its first packet.
#pragma once

#include <chrono>

namespace vrrp {

// Locks the memory, takes a low real-time priority where the system allows it, and then drops every capability but
// NET_ADMIN (addresses) and NET_RAW (advertisements, gratuitous ARP). What cannot be had is logged and done without.
void settle_privileges();

// A real-time process that no longer pauses would take its processor away from everyone else: when this one runs for so
// long (only a flood of packets can make it), the kernel makes it an ordinary one. True once, after that has happened.
inline constexpr std::chrono::milliseconds kLongestRun{200};
bool gave_up_real_time();

}  // namespace vrrp
