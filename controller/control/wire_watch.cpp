// SPDX-License-Identifier: Apache-2.0
#include "control/wire_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace control {
namespace {

constexpr base::Duration kReportsLag = std::chrono::seconds(2);  // counters come once a second, and so do we
constexpr base::Duration kLogPeriod = std::chrono::minutes(10);
constexpr base::Duration kOthersStay = std::chrono::minutes(1);  // in status, after their last advertisement
constexpr size_t kMostOthers = 20;

bool is_for(const WireRouter& router, const model::VrrpInstance& instance) {
  return router.interface == instance.interface && router.virtual_router_id == instance.virtual_router_id &&
         router.sender.is_v6() == instance.is_v6();
}

// An instance with unicast peers does not hear the group.
bool would_hear(const model::VrrpInstance& instance, const base::Ip& sender) {
  return instance.unicast_peers.empty() ||
         std::ranges::any_of(instance.unicast_peers, [&](const auto& peer) { return peer.address == sender; });
}

bool listens(const ipc::VrrpReport& report) {
  return report.state == ipc::VrrpState::backup || report.state == ipc::VrrpState::master;
}

}  // namespace

void WireWatch::judge(const model::VrrpInstance& instance, Ear& ear, const std::vector<WireRouter>& seen,
                      base::Time now) {
  const base::Duration silence = 3 * instance.advert_int + kReportsLag;
  const WireRouter* unheard = nullptr;
  for (const WireRouter& router : seen) {
    if (!is_for(router, instance) || !would_hear(instance, router.sender)) continue;
    if (router.at <= ear.heard_at || now - router.at > silence) continue;
    if (unheard == nullptr || unheard->at < router.at) unheard = &router;
  }
  if (!ear.listens || unheard == nullptr) {
    ear.unheard_since.reset();
    ear.problem.reset();
    return;
  }
  if (!ear.unheard_since) ear.unheard_since = unheard->at;
  if (unheard->at - *ear.unheard_since <= silence) return;
  const int64_t since = ear.problem ? ear.problem->since_unix : base::unix_seconds();
  ear.problem = {
      .kind = "not_received",
      .peer = unheard->sender,
      .text = fmt::format("advertisements from {} arrive on {} but do not reach the VRRP process: a firewall "
                          "drops them (allow protocol 112)",
                          unheard->sender.str(), instance.interface),
      .since_unix = since};
  if (ear.logged_at && now - *ear.logged_at < kLogPeriod) return;
  ear.logged_at = now;
  news_.push_back(instance.name + ": " + ear.problem->text);
}

void WireWatch::look(const std::vector<model::VrrpInstance>& instances,
                     const std::map<std::string, ipc::VrrpReport>& reports, const std::vector<WireRouter>& seen,
                     base::Time now) {
  std::map<std::string, Ear> ears;
  for (const model::VrrpInstance& instance : instances) {
    Ear& ear = ears[instance.name] = ears_[instance.name];
    const auto found = reports.find(instance.name);
    const ipc::VrrpReport report = found == reports.end() ? ipc::VrrpReport{} : found->second;
    const uint64_t heard = report.adverts_received + report.adverts_rejected;
    if (heard != ear.heard || !ear.listens) {
      ear.heard_at = now;
      ear.unheard_since.reset();
      ear.problem.reset();
    }
    ear.heard = heard;
    ear.listens = listens(report);
    judge(instance, ear, seen, now);
  }
  ears_ = std::move(ears);

  others_.clear();
  for (const WireRouter& router : seen) {
    const bool ours = std::ranges::any_of(instances, [&](const auto& instance) { return is_for(router, instance); });
    if (!ours && now - router.at <= kOthersStay) others_.push_back(router);
  }
  std::ranges::sort(others_, std::ranges::greater(), &WireRouter::at);
  if (others_.size() > kMostOthers) others_.resize(kMostOthers);
}

std::optional<ipc::VrrpProblem> WireWatch::problem(const std::string& instance) const {
  const auto found = ears_.find(instance);
  return found == ears_.end() ? std::nullopt : found->second.problem;
}

std::vector<std::string> WireWatch::take_news() {
  return std::exchange(news_, {});
}

}  // namespace control
