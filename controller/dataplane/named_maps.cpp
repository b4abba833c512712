// SPDX-License-Identifier: Apache-2.0
#include "dataplane/named_maps.hpp"

#include <bpf/libbpf.h>
#include <xdirector.skel.h>

#include <utility>

namespace dataplane {
namespace {

using Members = decltype(xdirector::maps);

constexpr std::pair<const char*, bpf_map * Members::*> kMaps[] = {{"settings", &Members::data_settings},
                                                                  {"virtual_addresses", &Members::data_addresses},
                                                                  {"interfaces", &Members::interfaces},
                                                                  {"services", &Members::services},
                                                                  {"services6", &Members::services6},
                                                                  {"port_marks", &Members::port_marks},
                                                                  {"port_marks6", &Members::port_marks6},
                                                                  {"schedules", &Members::schedules},
                                                                  {"real_servers", &Members::real_servers},
                                                                  {"virtual_servers", &Members::virtual_servers},
                                                                  {"leases", &Members::leases},
                                                                  {"connections", &Members::connections},
                                                                  {"connections6", &Members::connections6},
                                                                  {"persistence", &Members::persistence},
                                                                  {"fragments", &Members::fragments},
                                                                  {"real_server_stats", &Members::real_server_stats}};

constexpr std::pair<const char*, bpf_map * Members::*> kRenewable[] = {{"counters", &Members::counters},
                                                                       {"vrrp_seen", &Members::vrrp_seen}};

}  // namespace

std::vector<NamedMap> named_maps(const xdirector& program) {
  std::vector<NamedMap> all;
  for (const auto& [name, member] : kMaps) all.push_back({name, program.maps.*member});
  for (const auto& [name, member] : kRenewable) all.push_back({name, program.maps.*member, true});
  return all;
}

std::vector<const char*> map_names() {
  std::vector<const char*> all;
  for (const auto& [name, member] : kMaps) all.push_back(name);
  return all;
}

MapFds map_fds(const xdirector& program) {
  MapFds fds;
  for (const NamedMap& named : named_maps(program)) fds[named.name] = bpf_map__fd(named.map);
  return fds;
}

}  // namespace dataplane
