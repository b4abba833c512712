// SPDX-License-Identifier: Apache-2.0
// Which interfaces need the program, and where frames leave. Pure: names and links in.
//
// A program on a VLAN sub-interface runs in generic mode only; one on the parent sees the same frames with their tags.
// So a VLAN sub-interface whose parent is in the list too is *carried*: the parent's program does its work. The tag
// stays in the frame: what came in with it leaves with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlink/links.hpp"

namespace control {

using Links = std::map<int, netlink::Link>;  // by index

std::optional<netlink::Link> find_link(const Links& links, const std::string& name);

class AttachmentPlan {
 public:
  AttachmentPlan(std::vector<std::string> names, const Links& links);

  // Those of the names that need a program of their own, whether they exist or not.
  const std::vector<std::string>& interfaces() const { return interfaces_; }

  // The interface whose program carries `name`. nullopt: it has its own, or none.
  std::optional<std::string> carrier(const std::string& name) const;

  std::vector<std::string> carried_by(const std::string& interface) const;

  // A frame for the VLAN sub-interface `ifindex` leaves by another interface, where it needs tags.
  struct Exit {
    uint32_t ifindex = 0;
    std::vector<uint16_t> tags;  // outermost first; none: untagged

    friend bool operator==(const Exit&, const Exit&) = default;
  };
  Exit exit(uint32_t ifindex) const;

  // Is a frame that the program meets at `ifindex`, with these tags, one for the interface `name`?
  bool meets(const std::string& name, uint32_t ifindex, const std::vector<uint16_t>& tags) const;

  // Where the program meets frames, and to which MAC address they are: the interfaces, and the ports of a bond.
  std::map<uint32_t, base::Mac> entrances() const;

 private:
  bool has_program(const netlink::Link& link) const;

  std::vector<std::string> interfaces_;
  std::map<std::string, std::string> carriers_;
  Links links_;
};

}  // namespace control
