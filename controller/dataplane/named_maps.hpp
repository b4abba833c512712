// SPDX-License-Identifier: Apache-2.0
// All maps of the program by the names of their pins.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "xdirector/maps.h"  // the skeleton names its types

struct bpf_map;
struct xdirector;

namespace dataplane {

struct NamedMap {
  const char* name = nullptr;
  bpf_map* map = nullptr;
  bool renewable = false;  // that of an earlier version may be missing, or of another shape: nobody depends on it
};

// `settings` first: it says whose the others are.
std::vector<NamedMap> named_maps(const xdirector& program);
std::vector<const char*> map_names();  // without the renewable ones

// Their descriptors: of a loaded program, or opened by their pins.
using MapFds = std::map<std::string, int>;
MapFds map_fds(const xdirector& program);

}  // namespace dataplane
