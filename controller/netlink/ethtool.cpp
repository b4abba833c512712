// SPDX-License-Identifier: Apache-2.0
#include "netlink/ethtool.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/fd.hpp"

namespace netlink {
namespace {

// Fills in `command`, whose first word says what is asked. False: this driver does not know.
template <typename Command>
bool ask(const base::Fd& socket, const std::string& interface, Command& command) {
  ifreq request{};
  const size_t length = std::min(interface.size(), sizeof request.ifr_name - 1);
  std::copy_n(interface.begin(), length, static_cast<char*>(request.ifr_name));
  request.ifr_data = reinterpret_cast<char*>(&command);
  return ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

}  // namespace

Ethtool ethtool(const std::string& interface) {
  Ethtool told;
  const base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_drvinfo driver{.cmd = ETHTOOL_GDRVINFO};
  if (ask(socket, interface, driver)) {
    const char* name = static_cast<const char*>(driver.driver);
    told.driver.assign(name, strnlen(name, sizeof driver.driver));
  }
  ethtool_value flags{.cmd = ETHTOOL_GFLAGS, .data = 0};
  if (ask(socket, interface, flags)) {
    told.lro = (flags.data & ETH_FLAG_LRO) != 0;
    told.strips_vlan_tags = (flags.data & ETH_FLAG_RXVLAN) != 0;
  }
  ethtool_channels channels{.cmd = ETHTOOL_GCHANNELS};
  if (ask(socket, interface, channels)) {
    told.channels = {.rx = channels.rx_count,
                     .tx = channels.tx_count,
                     .combined = channels.combined_count,
                     .max_rx = channels.max_rx,
                     .max_tx = channels.max_tx,
                     .max_combined = channels.max_combined};
  }
  return told;
}

}  // namespace netlink
