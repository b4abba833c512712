// SPDX-License-Identifier: Apache-2.0
// /sys/fs/bpf/xdirector: where program links and maps outlive the process. Names: the maps' own, link_IFINDEX
// and egress_IFINDEX.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace dataplane::pins {

inline constexpr const char* kDirectory = "/sys/fs/bpf/xdirector";

// Makes the directory (0700); mounts bpffs first where nobody has.
base::Result<> prepare();

std::string path(const std::string& name);
std::string link_name(uint32_t ifindex);
std::string egress_name(uint32_t ifindex);

base::Result<base::Fd> open(const std::string& name);  // empty where there is none
base::Result<> pin(int fd, const std::string& name);

// Pins all of these, by name, in place of those of the same names: all or none, whenever it is interrupted; what is
// half done then is done or undone by complete_replacement(). The first comes last.
base::Result<> replace(const std::vector<std::pair<std::string, int>>& fds);
base::Result<> complete_replacement(const std::string& first);
base::Result<> replace_one(int fd, const std::string& name);
void unpin(const std::string& name);

// The interfaces that have a pinned link, or a filter at the exit, by the pins' names.
std::set<uint32_t> links();
std::set<uint32_t> egresses();

// Removes what is left of the pins, and the directory. False: there was nothing.
bool remove_all();

}  // namespace dataplane::pins
