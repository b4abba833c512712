// SPDX-License-Identifier: Apache-2.0
// Doubts about VRRP instances: what is heard otherwise than it is meant.
#include <fmt/format.h>

#include "config/validate.hpp"

namespace config {
namespace {

using Findings = std::vector<Finding>;

void passwords(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.auth_pass.size() <= 8) return;
  findings.push_back(
      {here + ".authentication.auth_pass", "the password is longer than 8 characters; only the first 8 count"});
}

// Eleven of 38 files with nopreempt have it together with MASTER, and fail back all the same.
void ignored_by_keepalived(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.state != model::InitialState::master || instance.priority == 255) return;
  if (instance.nopreempt) {
    findings.push_back({here + ".nopreempt",
                        "keepalived ignores this together with \"state\": \"MASTER\"; here it holds, so that this "
                        "director will no longer take the addresses back. To keep that it does, delete this line"});
  } else if (instance.preempt_delay > base::Duration()) {
    findings.push_back({here + ".preempt_delay",
                        "keepalived ignores this together with \"state\": \"MASTER\"; here it holds, so that this "
                        "director will take the addresses back later. To keep that it does so at once, delete this "
                        "line"});
  }
}

void delay_without_preemption(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (!instance.nopreempt || instance.preempt_delay == base::Duration()) return;
  findings.push_back({here + ".preempt_delay", "has no effect with \"nopreempt\""});
}

void link_local_first(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.virtual_addresses.empty() || !instance.is_v6()) return;
  const base::Ip& first = instance.virtual_addresses.front().ip;
  if (first == base::Ip() || base::is_link_local_v6(first)) return;
  findings.push_back({here + ".virtual_ipaddress[0]",
                      fmt::format("{} is not link-local, as RFC 9568 wants an IPv6 router's first address to be. "
                                  "keepalived does not mind; other makers' routers may reject it",
                                  first.str())});
}

void unnamed_source(const model::VrrpInstance& instance, const std::string& here, Findings& findings) {
  if (instance.unicast_peers.empty() || instance.source != base::Ip()) return;
  findings.push_back({here + ".unicast_peer",
                      "without \"unicast_src_ip\" advertisements come from the interface's first address, which may "
                      "change; the peers take only what comes from an address they name"});
}

}  // namespace

std::vector<Finding> vrrp_doubts(const model::Config& config) {
  Findings findings;
  for (size_t i = 0; i < config.vrrp_instances.size(); ++i) {
    const model::VrrpInstance& instance = config.vrrp_instances[i];
    const std::string here = fmt::format("vrrp_instances[{}]", i);
    passwords(instance, here, findings);
    ignored_by_keepalived(instance, here, findings);
    delay_without_preemption(instance, here, findings);
    link_local_first(instance, here, findings);
    unnamed_source(instance, here, findings);
  }
  return findings;
}

}  // namespace config
