// SPDX-License-Identifier: Apache-2.0
// What `ethtool -i`, `-k` and `-l` tell of an interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace netlink {

// Pairs of queues, or separate ones where `combined` is 0.
struct Channels {
  uint32_t rx = 0, tx = 0, combined = 0;
  uint32_t max_rx = 0, max_tx = 0, max_combined = 0;

  friend bool operator==(const Channels&, const Channels&) = default;
};

struct Ethtool {
  std::string driver;             // empty: it does not say
  bool lro = false;               // large-receive-offload: frames are merged before anyone sees them
  bool strips_vlan_tags = false;  // rx-vlan-offload: the tag travels beside the frame
  std::optional<Channels> channels;

  friend bool operator==(const Ethtool&, const Ethtool&) = default;
};

// What the driver does not tell, or of an interface that does not exist, stays as above. Needs no privilege.
Ethtool ethtool(const std::string& interface);

}  // namespace netlink
