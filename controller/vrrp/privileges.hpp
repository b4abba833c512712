// SPDX-License-Identifier: Apache-2.0
// What the vrrp worker keeps and gives up of its rights, before it reads its first packet.
#pragma once

namespace vrrp {

// Locks the memory, takes a low real-time priority where the system allows it, and then drops every capability but
// NET_ADMIN (addresses) and NET_RAW (advertisements, gratuitous ARP). What cannot be had is logged and done without.
void settle_privileges();

}  // namespace vrrp
