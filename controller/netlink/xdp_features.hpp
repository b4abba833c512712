// SPDX-License-Identifier: Apache-2.0
// What an interface can do with XDP, by its driver's own word: generic netlink's family "netdev", from Linux 6.3 on.
#pragma once

#include <optional>

namespace netlink {

struct XdpFeatures {
  bool native = false;
  bool multi_buffer = false;  // takes frames of several buffers
  bool sends = false;         // what another interface hands it; many drivers only while they have a program
  bool sends_multi_buffer = false;

  friend bool operator==(const XdpFeatures&, const XdpFeatures&) = default;
};

// As they are now: some drivers change them with their settings. nullopt: the kernel does not say.
std::optional<XdpFeatures> xdp_features(int ifindex);

}  // namespace netlink
