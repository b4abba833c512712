// SPDX-License-Identifier: Apache-2.0
#include "control/attachments.hpp"

#include <set>

#include "base/log.hpp"
#include "control/interface_facts.hpp"

namespace control {

std::vector<Finding> Attachments::findings(const AttachmentPlan& plan, const std::string& name) const {
  std::set<uint32_t> exits;
  for (const auto& [address, next_hop] : network_.next_hops()) exits.insert(next_hop.ifindex);
  const std::optional<InterfaceFacts> facts =
      gather_facts(name, plan, exits, network_.links(), mode_ == dataplane::Mode::generic);
  return facts ? examine(*facts) : std::vector<Finding>();
}

base::Result<Attachments::Done> Attachments::attach(const AttachmentPlan& plan, const netlink::Link& link) {
  const auto ifindex = static_cast<uint32_t>(link.index);
  const auto known = attached_.find(ifindex);
  const bool held = known != attached_.end() && dataplane::is_attached(ifindex);
  if (held && known->second.mtu == link.mtu) return Done::nothing;

  const std::vector<Finding> findings = this->findings(plan, link.name);
  std::string causes;  // of what the driver may be about to refuse
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::refuse) return base::fail(finding.str());
    if (finding.severity == Severity::no_native) causes += "; " + finding.str();
  }
  make_room(plan, link.name);
  const auto attached = dataplane_.attach_to({ifindex, link.name, link.mtu}, mode_);
  if (!attached) return base::fail(attached.error().message + causes);
  const bool news = !held || known->second.how.multi_buffer != attached->multi_buffer;
  attached_[ifindex] = {link.name, *attached, link.mtu};
  if (!news) return Done::nothing;
  base::log::info("{}: {} XDP{}{}", link.name, dataplane::name(attached->mode),
                  attached->multi_buffer ? ", multi-buffer" : "",
                  attached->adopted ? ", in place of the program before" : "");
  if (!attached->warning.empty()) base::log::warning("{}{}", attached->warning, causes);
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::warn) base::log::warning("{}", finding.str());
  }
  return attached->adopted ? Done::adopted : Done::attached;
}

// The kernel takes no program below an interface that has one.
void Attachments::make_room(const AttachmentPlan& plan, const std::string& carrier) {
  for (const std::string& name : plan.carried_by(carrier)) {
    const std::optional<netlink::Link> link = network_.link(name);
    if (!link || !dataplane::is_attached(static_cast<uint32_t>(link->index))) continue;
    base::log::info("{}: its program gives way to the one on {}", name, carrier);
    dataplane::detach(static_cast<uint32_t>(link->index));
    attached_.erase(static_cast<uint32_t>(link->index));
  }
}

base::Result<> Attachments::add(const std::vector<std::string>& interfaces) {
  const AttachmentPlan plan(interfaces, network_.links());
  std::vector<uint32_t> added;
  for (const std::string& name : plan.interfaces()) {
    const std::optional<netlink::Link> link = network_.link(name);
    if (!link) continue;
    const base::Result<Done> done = attach(plan, *link);
    if (done && *done == Done::attached) added.push_back(static_cast<uint32_t>(link->index));
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
  const AttachmentPlan plan(interfaces, network_.links());
  std::set<uint32_t> keep;
  for (const std::string& name : plan.interfaces()) {
    std::string problem;
    if (const std::optional<netlink::Link> link = network_.link(name); link) {
      keep.insert(static_cast<uint32_t>(link->index));  // whoever is there now
      if (const base::Result<Done> done = attach(plan, *link); !done) problem = done.error().message;
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

std::string Attachments::problem(const std::string& interface) const {
  const auto known = problems_.find(interface);
  return known == problems_.end() ? "" : known->second;
}

InterfaceStatus Attachments::status_of(const AttachmentPlan& plan, const std::string& name) const {
  InterfaceStatus status{.name = name, .mode = {}, .carrier = plan.carrier(name).value_or(""), .warnings = {}};
  if (!status.carrier.empty()) return status;
  for (const auto& [ifindex, attached] : attached_) {
    if (attached.name != name) continue;
    status.mode = dataplane::name(attached.how.mode);
    status.multi_buffer = attached.how.multi_buffer;
    if (!attached.how.warning.empty()) status.warnings.push_back(attached.how.warning);
  }
  if (const std::string problem = this->problem(name); !problem.empty()) status.warnings.push_back(problem);
  if (!network_.link(name)) status.warnings.emplace_back("the interface does not exist");
  // As they are now: what has been put right since is gone. Whether the driver refuses native mode is known by now.
  for (const Finding& finding : findings(plan, name)) {
    if (finding.severity != Severity::no_native || status.mode != "native") status.warnings.push_back(finding.str());
  }
  return status;
}

std::vector<InterfaceStatus> Attachments::status(const std::vector<std::string>& interfaces) const {
  const AttachmentPlan plan(interfaces, network_.links());
  std::vector<InterfaceStatus> all;
  all.reserve(interfaces.size());
  for (const std::string& name : interfaces) all.push_back(status_of(plan, name));
  return all;
}

}  // namespace control
