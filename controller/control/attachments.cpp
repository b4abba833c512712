// SPDX-License-Identifier: Apache-2.0
#include "control/attachments.hpp"

#include <set>

#include "base/log.hpp"

namespace control {

base::Result<Attachments::Done> Attachments::attach(const std::string& name, uint32_t ifindex) {
  if (attached_.contains(ifindex) && dataplane::is_attached(ifindex)) return Done::nothing;
  const base::Result<dataplane::Attached> attached = dataplane_.attach_to(ifindex, name, mode_);
  if (!attached) return std::unexpected(attached.error());
  attached_[ifindex] = {name, std::string(dataplane::name(attached->mode)), attached->warning};
  base::log::info("{}: {} XDP{}", name, dataplane::name(attached->mode),
                  attached->adopted ? ", in place of the program of an earlier run" : "");
  if (!attached->warning.empty()) base::log::warning("{}", attached->warning);
  return attached->adopted ? Done::adopted : Done::attached;
}

base::Result<> Attachments::add(const std::vector<std::string>& interfaces) {
  std::vector<uint32_t> added;
  for (const std::string& name : interfaces) {
    const std::optional<netlink::Link> link = network_.link(name);
    if (!link) continue;
    const auto ifindex = static_cast<uint32_t>(link->index);
    const base::Result<Done> done = attach(name, ifindex);
    if (done && *done == Done::attached) added.push_back(ifindex);
    if (done) continue;
    for (const uint32_t undone : added) {
      dataplane::detach(undone);
      attached_.erase(undone);
    }
    return std::unexpected(done.error());
  }
  return {};
}

void Attachments::hold(const std::vector<std::string>& interfaces) {
  std::set<uint32_t> keep;
  for (const std::string& name : interfaces) {
    std::string problem;
    if (const std::optional<netlink::Link> link = network_.link(name); link) {
      const auto ifindex = static_cast<uint32_t>(link->index);
      keep.insert(ifindex);  // whoever is there now
      if (const base::Result<Done> done = attach(name, ifindex); !done) problem = done.error().message;
    }
    note_problem(name, problem);
  }
  std::erase_if(attached_, [&](const auto& entry) { return !keep.contains(entry.first); });
  dataplane::detach_others(keep);
}

void Attachments::note_problem(const std::string& name, const std::string& problem) {
  std::string& known = problems_[name];
  if (problem != known && !problem.empty()) base::log::error("{}", problem);
  known = problem;
}

std::vector<InterfaceStatus> Attachments::status(const std::vector<std::string>& interfaces) const {
  std::vector<InterfaceStatus> all;
  for (const std::string& name : interfaces) {
    const auto problem = problems_.find(name);
    InterfaceStatus status{name, "", "the interface does not exist"};
    if (problem != problems_.end() && !problem->second.empty()) status.warning = problem->second;
    for (const auto& [ifindex, attached] : attached_) {
      if (attached.name == name) status = attached;
    }
    all.push_back(status);
  }
  return all;
}

}  // namespace control
