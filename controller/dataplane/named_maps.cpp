// SPDX-License-Identifier: Apache-2.0
#include "dataplane/named_maps.hpp"

#include <bpf/libbpf.h>
#include <xdirector.skel.h>

namespace dataplane {

std::vector<NamedMap> named_maps(const xdirector& program) {
  const auto& m = program.maps;
  return {{"settings", m.data_settings},
          {"virtual_addresses", m.data_addresses},
          {"interfaces", m.interfaces},
          {"services", m.services},
          {"services6", m.services6},
          {"port_marks", m.port_marks},
          {"port_marks6", m.port_marks6},
          {"schedules", m.schedules},
          {"real_servers", m.real_servers},
          {"virtual_servers", m.virtual_servers},
          {"leases", m.leases},
          {"connections", m.connections},
          {"connections6", m.connections6},
          {"persistence", m.persistence},
          {"fragments", m.fragments},
          {"counters", m.counters},
          {"real_server_stats", m.real_server_stats}};
}

MapFds map_fds(const xdirector& program) {
  MapFds fds;
  for (const NamedMap& named : named_maps(program)) fds[named.name] = bpf_map__fd(named.map);
  return fds;
}

}  // namespace dataplane
