// SPDX-License-Identifier: Apache-2.0
// The consistent hash of a virtual server: a Maglev table (Eisenbud et al., NSDI 2016, section 3.4). A hash of the
// flow chooses an entry. When a real server comes or goes, few entries change that need not.
//
// Directors with the same view make the same table: it depends on addresses, ports and weights, never on slots. A table
// that stands in the maps is kept while its real servers are the same, also by a new version of this program; so
// whoever changes what is built here gives the maps a new XD_LAYOUT.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.hpp"

namespace model {

struct MaglevServer {
  base::Ip address;
  uint16_t port = 0;
  uint16_t slot = 0;
  uint32_t weight = 0;  // 0: has no entries
};

// How long a table is for real servers whose weights make a cycle of `cycle_length`: a prime, with 32 entries or more
// for each turn of the cycle as long as that is possible. Ask with all real servers of the configuration, also those
// that are down: a table of another length is another table altogether.
uint32_t maglev_length(uint64_t cycle_length);

// Of `servers`, which are ordered by address and port. Each has its share of the entries, to within one. Empty when no
// server has a weight.
std::vector<uint16_t> make_maglev(const std::vector<MaglevServer>& servers, uint32_t length);

}  // namespace model
