// SPDX-License-Identifier: Apache-2.0
// The program on the interfaces of the configuration: where it is, and why not where it is not. Each interface is
// examined before (preflight.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/attachment_plan.hpp"
#include "control/network.hpp"
#include "control/preflight.hpp"
#include "control/status.hpp"
#include "dataplane/dataplane.hpp"

namespace control {

class Attachments {
 public:
  // `mode` nullopt: native, generic where the driver has no native XDP.
  Attachments(dataplane::Dataplane& dataplane, const Network& network, std::optional<dataplane::Mode> mode)
      : dataplane_(dataplane), network_(network), mode_(mode) {}

  // Attaches to those of these interfaces that exist and do not have the program yet; VLAN sub-interfaces are carried
  // by their parents where these are in the list too. On an error everything is as before.
  base::Result<> add(const std::vector<std::string>& interfaces);

  // Attaches to as many of them as it can, logs what it cannot, and takes the program off all others.
  void hold(const std::vector<std::string>& interfaces);

  // Why hold() could not attach there. Empty: it could.
  std::string problem(const std::string& interface) const;

  std::vector<InterfaceStatus> status(const std::vector<std::string>& interfaces) const;

 private:
  enum class Done { nothing, adopted, attached };
  struct Attached {
    std::string name;
    dataplane::Attached how;
    uint32_t mtu = 0;  // when it was attached: another one may want another program
  };
  base::Result<Done> attach(const AttachmentPlan& plan, const netlink::Link& link);
  std::vector<Finding> findings(const AttachmentPlan& plan, const std::string& name) const;
  void make_room(const AttachmentPlan& plan, const std::string& carrier);
  InterfaceStatus status_of(const AttachmentPlan& plan, const std::string& name) const;
  void note_problem(const std::string& name, const std::string& problem);

  dataplane::Dataplane& dataplane_;
  const Network& network_;
  std::optional<dataplane::Mode> mode_;
  std::map<uint32_t, Attached> attached_;        // by ifindex
  std::map<std::string, std::string> problems_;  // by name: why hold() could not attach
};

}  // namespace control
