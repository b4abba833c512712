// SPDX-License-Identifier: Apache-2.0
#include "control/daemon.hpp"

#include <signal.h>

#include <limits>
#include <memory>
#include <utility>

#include "control/assignments.hpp"
#include "control/attachments.hpp"
#include "control/candidate.hpp"
#include "control/child.hpp"
#include "control/fence.hpp"
#include "control/idle_slots.hpp"
#include "control/lock.hpp"
#include "control/network.hpp"
#include "control/notify.hpp"
#include "control/server.hpp"
#include "control/status.hpp"
#include "dataplane/dataplane.hpp"
#include "netlink/addresses.hpp"
#include "netlink/socket.hpp"

namespace control {
namespace {

constexpr base::Duration kSweepPeriod = std::chrono::milliseconds(100);
constexpr size_t kSweepSteps = 20;           // a pass takes two seconds ...
constexpr size_t kLargestSweepStep = 65536;  // ... or longer, where the table is so large that a step would be felt
constexpr base::Duration kGather = std::chrono::milliseconds(10);  // one change for many reports of health
constexpr base::Duration kPatienceVrrp = std::chrono::seconds(1);  // a lease is 3 s or more: time to come back
constexpr base::Duration kPatienceHealth = std::chrono::seconds(10);
constexpr base::Duration kComeBack =
    std::chrono::milliseconds(500);  // from a worker's start to its first advertisement
constexpr base::Duration kFarewellTime = std::chrono::milliseconds(1200);
constexpr base::Duration kLeftoverTime = std::chrono::seconds(1);

class Daemon {
 public:
  explicit Daemon(const Options& options)
      : options_(options),
        notify_(loop_),
        sweep_timer_(loop_, [this] { sweep(); }),
        apply_timer_(loop_, [this] { apply_or_log(); }),
        leftover_timer_(loop_, [this] { remove_leftovers(); }),
        stop_timer_(loop_, [this] { vrrp_.kill(); }),
        vrrp_(loop_, vrrp_options()),
        health_(loop_, health_options()) {}

  int run();

 private:
  // Start and stop, in the order of DESIGN.md decision 14: tables, program, workers; and back.
  base::Result<> prepare(const model::Config& config);
  void clear_up_after_earlier_run();
  void start_workers();
  void stop(const char* signal_name);
  void vrrp_stopped();

  // Configuration.
  void reload();
  base::Result<> take(const model::Config& config);
  void forget_unchecked();
  void hold_fence();
  void send_vrrp();
  void send_health();

  // What comes in.
  Child::Options vrrp_options();
  Child::Options health_options();
  void network_changed();
  void health_report(const ipc::HealthReport& report);
  void vrrp_lost(base::Duration restart_in);
  std::vector<ipc::VrrpAssignment> resign(base::Time back);
  std::set<model::Slot> draining() const;
  void sweep();
  void remove_leftovers();

  // What goes out.
  struct Freed {
    std::set<model::Slot> idle;      // no connection holds them
    std::set<base::Ipv4> addresses;  // not on this host any more
  };
  base::Result<> apply(const model::Config& config, const Freed& freed);
  void apply_or_log(const Freed& freed);
  void apply_or_log() { apply_or_log({}); }
  std::set<base::Ipv4> real_server_addresses(const model::Config& config) const;
  std::string status() const;

  const Options& options_;
  loop::Loop loop_;
  Notify notify_;
  std::unique_ptr<Network> network_;
  std::optional<dataplane::Dataplane> dataplane_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<loop::Signal>> signals_;
  loop::Timer sweep_timer_, apply_timer_, leftover_timer_, stop_timer_;

  model::Config config_;
  std::optional<Attachments> attachments_;
  ReloadStatus last_reload_;
  int64_t started_ = base::unix_seconds(), loaded_ = 0;
  std::set<model::Member> down_;
  IdleSlots idle_slots_;
  std::set<std::pair<uint32_t, base::Ipv4>> former_places_;  // of virtual addresses that live elsewhere now
  std::string fence_problem_;
  TargetIds ids_;
  std::map<std::string, ipc::VrrpReport> vrrp_reports_;
  std::map<model::Member, ipc::HealthReport> health_reports_;
  ipc::ConfigureVrrp vrrp_sent_;
  ipc::ConfigureHealth health_sent_;
  bool stopping_ = false;
  Child vrrp_, health_;  // last: they end first
};

// --- what goes out: (configuration, surroundings) → tables → maps ---

base::Result<> Daemon::apply(const model::Config& config, const Freed& freed) {
  model::Surroundings around{.down = down_,
                             .next_hops = network_->next_hops(),
                             .interface_index = {},
                             .interface_mac = {},
                             .idle = freed.idle,
                             .released = freed.addresses,
                             .tick = dataplane_->tick()};
  for (const std::string& name : config.attached_interfaces()) {
    const std::optional<netlink::Link> link = network_->link(name);
    if (!link) continue;
    around.interface_index[name] = static_cast<uint32_t>(link->index);
    around.interface_mac[static_cast<uint32_t>(link->index)] = link->mac;
  }
  const base::Result<model::Tables> desired = model::desired_tables(config, around, dataplane_->tables());
  if (!desired) return std::unexpected(desired.error());
  return dataplane_->apply(*desired);
}

void Daemon::apply_or_log(const Freed& freed) {
  if (auto done = apply(config_, freed); !done) base::log::error("{}", done.error().message);
}

std::set<base::Ipv4> Daemon::real_server_addresses(const model::Config& config) const {
  std::set<base::Ipv4> all;
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) all.insert(real.address);
  }
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) all.insert(entry.key.address);
  return all;
}

// --- configuration ---

void Daemon::hold_fence() {
  std::set<std::string> interfaces;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) interfaces.insert(instance.interface);
  const base::Result<> done = fence::hold(interfaces);
  const std::string problem = done ? "" : done.error().message;
  if (problem != fence_problem_ && !done) base::log::warning("the fence is partial: {}", problem);
  fence_problem_ = problem;
}

void Daemon::send_vrrp() {
  ipc::ConfigureVrrp assignment = make_vrrp_assignment(config_, dataplane_->tables());
  if (assignment == vrrp_sent_) return;
  vrrp_sent_ = std::move(assignment);
  vrrp_.send(vrrp_sent_, dataplane_->leases_fd());
}

void Daemon::send_health() {
  // Which of them are up is the worker's own news and no reason to tell it again.
  ipc::ConfigureHealth assignment = make_health_assignment(config_, {}, ids_);
  if (assignment == health_sent_) return;
  health_sent_ = std::move(assignment);
  health_.send(make_health_assignment(config_, down_, ids_));
}

// Makes `config` the one in force. On an error everything is as before.
base::Result<> Daemon::take(const model::Config& config) {
  const model::Tables before = dataplane_->tables();
  network_->watch(real_server_addresses(config));
  base::Result<> done = apply(config, {});
  if (done) done = attachments_->add(config.attached_interfaces());
  if (!done) {
    if (auto undone = dataplane_->apply(before); !undone) base::log::error("{}", undone.error().message);
    network_->watch(real_server_addresses(config_));
    return done;
  }
  config_ = config;
  loaded_ = base::unix_seconds();
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    const auto earlier = before.leases.find(address);
    if (earlier == before.leases.end() || earlier->second.ifindex == lease.ifindex) continue;
    former_places_.emplace(earlier->second.ifindex, address);
  }
  idle_slots_.draining_are(draining());
  attachments_->hold(config_.attached_interfaces());
  hold_fence();
  forget_unchecked();
  return {};
}

// The health of real servers that are not checked any more: they count as up.
void Daemon::forget_unchecked() {
  std::set<model::Member> checked;
  for (const model::VirtualServer& server : config_.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) {
      if (!real.checks.empty()) checked.insert({server.key, model::key_of(real)});
    }
  }
  std::erase_if(health_reports_, [&](const auto& entry) { return !checked.contains(entry.first); });
  if (std::erase_if(down_, [&](const auto& member) { return !checked.contains(member); }) > 0) apply_or_log();
}

void Daemon::reload() {
  if (stopping_) return;
  base::log::info("reloading {}", options_.config_file);
  last_reload_ = {.at_unix = base::unix_seconds(), .ok = true, .errors = {}};
  Candidate candidate = read_candidate(options_.config_file, *network_);
  if (candidate.errors.empty() && candidate.config == config_) {
    base::log::info("the configuration has not changed");
    return;
  }
  if (candidate.errors.empty()) {
    if (candidate.config.connection_slots != config_.connection_slots) {
      base::log::warning("connection_slots: the table gets its new size when xdirector is started again");
    }
    if (auto done = take(candidate.config); !done) candidate.errors.push_back(done.error().message);
  }
  if (!candidate.errors.empty()) {
    last_reload_.ok = false;
    last_reload_.errors = candidate.errors;
    for (const std::string& error : candidate.errors) base::log::error("{}", error);
    base::log::error("reload refused: the configuration from before goes on unchanged");
    return;
  }
  send_vrrp();
  send_health();
  leftover_timer_.start(kLeftoverTime);
  base::log::info("the new configuration is in force");
}

// --- what comes in ---

void Daemon::network_changed() {
  if (stopping_) return;
  apply_or_log();
  attachments_->hold(config_.attached_interfaces());
  hold_fence();
}

void Daemon::health_report(const ipc::HealthReport& report) {
  const std::optional<model::Member> member = ids_.member_of(report.id);
  if (!member) return;
  health_reports_[*member] = report;
  if (report.unknown || report.up != down_.contains(*member)) return;
  if (report.up) {
    down_.erase(*member);
  } else {
    down_.insert(*member);
  }
  if (!apply_timer_.running()) apply_timer_.start(kGather);
}

Child::Options Daemon::vrrp_options() {
  return {.role = "vrrp",
          .log_level = options_.log_level,
          .patience = kPatienceVrrp,
          .on_started = [this] { vrrp_.send(vrrp_sent_, dataplane_->leases_fd()); },
          .on_message =
              [this](ipc::Message message) {
                if (auto* report = std::get_if<ipc::VrrpReport>(&message)) vrrp_reports_[report->instance] = *report;
              },
          .on_lost = [this](base::Duration restart_in) { vrrp_lost(restart_in); },
          .on_stopped = [this] { vrrp_stopped(); }};
}

Child::Options Daemon::health_options() {
  return {.role = "health",
          .log_level = options_.log_level,
          .patience = kPatienceHealth,
          .on_started = [this] { health_.send(make_health_assignment(config_, down_, ids_)); },
          .on_message =
              [this](ipc::Message message) {
                if (auto* report = std::get_if<ipc::HealthReport>(&message)) health_report(*report);
              },
          .on_lost = [](base::Duration) {},  // the last known health stands
          .on_stopped = [] {}};
}

// In the stead of a worker that is not there: ends the leases that end before `back`, and says goodbye for them.
std::vector<ipc::VrrpAssignment> Daemon::resign(base::Time back) {
  const auto lost = masters_until(back, vrrp_sent_.instances,
                                  [this](uint32_t index) { return dataplane_->maps().lease_until(index); });
  if (lost.empty()) return {};
  for (const ipc::VrrpAssignment& assignment : lost) {
    for (const uint32_t index : assignment.lease) dataplane_->maps().end_lease(index);
  }
  if (auto done = options_.farewell(lost); !done) base::log::error("{}", done.error().message);
  return lost;
}

// A worker that is back within the lease resumes by itself.
void Daemon::vrrp_lost(base::Duration restart_in) {
  for (const ipc::VrrpAssignment& assignment : resign(base::now() + restart_in + kComeBack)) {
    const std::string& name = assignment.instance.name;
    base::log::error("{}: the vrrp worker cannot be back before the lease ends: resigned in its stead", name);
    ipc::VrrpReport& report = vrrp_reports_[name];
    report.state = ipc::VrrpState::fault;
    report.reason = "the vrrp worker keeps ending";
    report.since_unix = base::unix_seconds();
  }
}

std::set<model::Slot> Daemon::draining() const {
  std::set<model::Slot> slots;
  for (const auto& [member, slot] : model::removed_members(config_, dataplane_->tables())) slots.insert(slot);
  return slots;
}

// Counts and expiry; and slots whose last connection has ended are free.
void Daemon::sweep() {
  const std::optional<uint32_t> tick = dataplane_->current_tick();
  if (!tick) return;
  const size_t buckets = dataplane_->maps().buckets().size();
  const size_t step = std::min(kLargestSweepStep, buckets / kSweepSteps + 1);
  if (!dataplane_->sweep().step(step, *tick)) return;
  const std::set<model::Slot> idle = idle_slots_.pass_ended(draining(), dataplane_->sweep().counts());
  if (idle.empty()) return;
  apply_or_log({.idle = idle, .addresses = {}});
  network_->watch(real_server_addresses(config_));
}

// Virtual addresses that have left the configuration, or their interface: the worker has taken them off by now; else
// we do.
void Daemon::remove_leftovers() {
  std::set<base::Ipv4> configured;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) {
    configured.insert(instance.virtual_addresses.begin(), instance.virtual_addresses.end());
  }
  Freed freed;
  size_t left = 0;
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    if (configured.contains(address)) {
      former_places_.erase({lease.ifindex, address});  // moved there and back again
    } else if (network_->remove_address(lease.ifindex, address)) {
      freed.addresses.insert(address);
    } else {
      ++left;
    }
  }
  std::erase_if(former_places_, [&](const auto& place) { return network_->remove_address(place.first, place.second); });
  apply_or_log(freed);
  if (left + former_places_.size() > 0) leftover_timer_.start(kLeftoverTime);
}

std::string Daemon::status() const {
  Snapshot all{.config_file = options_.config_file,
               .started_unix = started_,
               .config_loaded_unix = loaded_,
               .now_unix = base::unix_seconds(),
               .reload = last_reload_,
               .config = &config_,
               .tables = &dataplane_->tables(),
               .interfaces = attachments_->status(config_.attached_interfaces()),
               .workers = {{"vrrp", {vrrp_.pid(), vrrp_.restarts()}}, {"health", {health_.pid(), health_.restarts()}}},
               .vrrp = vrrp_reports_,
               .health = health_reports_,
               .slots = {},
               .lease_seconds = {},
               .counters = dataplane_->maps().counters()};
  const std::vector<dataplane::ConnectionCounts>& counts = dataplane_->sweep().counts();
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    all.slots[slot] = {counts[slot], dataplane_->maps().stats(slot)};
  }
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    all.lease_seconds[address.str()] = base::seconds(dataplane_->maps().lease_until(lease.index) - base::now());
  }
  return status_document(all);
}

// --- start and stop ---

base::Result<> Daemon::prepare(const model::Config& config) {
  auto opened = dataplane::Dataplane::open(config.connection_slots / XD_WAYS);
  if (!opened) return std::unexpected(opened.error());
  dataplane_.emplace(std::move(*opened));
  if (!dataplane_->found().empty()) base::log::info("{}", dataplane_->found());
  base::log::info("connection table: {} slots; all tables: {} MiB", config.connection_slots, dataplane_->bytes() >> 20);
  attachments_.emplace(*dataplane_, *network_, options_.xdp_mode);
  down_ = model::members_down(dataplane_->tables());
  network_->watch(real_server_addresses(config));
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    network_->remember(entry.key.address, entry.next_hop);
  }
  return take(config);
}

// No worker lives that would do it, and none is to go on as MASTER where it was not.
void Daemon::clear_up_after_earlier_run() {
  for (const auto& [ifindex, address] : former_places_) {
    dataplane_->maps().end_lease(dataplane_->tables().leases.at(address).index);
  }
  remove_leftovers();
}

void Daemon::start_workers() {
  vrrp_sent_ = make_vrrp_assignment(config_, dataplane_->tables());
  health_sent_ = make_health_assignment(config_, {}, ids_);
  vrrp_.start();
  health_.start();
}

int Daemon::run() {
  // From now on a signal waits until the loop runs: even a stop that comes early finds the order of section 2.
  signal(SIGPIPE, SIG_IGN);  // a client of the control socket may be gone before it has its answer
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGHUP, [this] { reload(); }));
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGTERM, [this] { stop("SIGTERM"); }));
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGINT, [this] { stop("SIGINT"); }));
  auto network = Network::start(loop_, [this] { network_changed(); });
  if (!network) {
    base::log::error("{}", network.error().message);
    return 1;
  }
  network_ = std::move(*network);
  const Candidate candidate = read_candidate(options_.config_file, *network_);
  for (const std::string& error : candidate.errors) base::log::error("{}", error);
  if (!candidate.errors.empty()) return candidate.exit_code;
  auto server = Server::start(loop_, [this] { return status(); });
  if (!server) {
    base::log::error("{}", server.error().message);
    return 1;
  }
  server_ = std::move(*server);
  if (auto done = prepare(candidate.config); !done) {
    base::log::error("{}", done.error().message);
    return 1;
  }
  clear_up_after_earlier_run();
  start_workers();
  sweep_timer_.start_every(kSweepPeriod);
  notify_.ready();
  base::log::info("running with {}", options_.config_file);
  loop_.run();
  return 0;
}

void Daemon::stop(const char* signal_name) {
  if (std::exchange(stopping_, true)) return;
  base::log::info("{}: stopping", signal_name);
  notify_.stopping();
  sweep_timer_.stop();
  leftover_timer_.stop();
  stop_timer_.start(kFarewellTime);
  health_.stop();
  vrrp_.stop();
}

void Daemon::vrrp_stopped() {
  // One that had to be killed has not resigned, and may have left its addresses.
  resign(base::Time{std::numeric_limits<int64_t>::max()});
  for (const auto& [address, lease] : dataplane_->tables().leases) dataplane_->maps().end_lease(lease.index);
  health_.kill();
  model::Tables tables = dataplane_->tables();
  std::erase_if(tables.leases, [&](const auto& entry) {
    const auto& [address, lease] = entry;
    return network_->remove_address(lease.ifindex, address);  // what cannot be taken off stays fenced
  });
  if (auto done = dataplane_->apply(tables); !done) base::log::error("{}", done.error().message);
  fence::restore();
  if (options_.keep_forwarding) {
    base::log::info("stopped; the program goes on forwarding (`xdirector detach` takes it off)");
  } else {
    dataplane::detach_all();
    base::log::info("stopped");
  }
  loop_.stop();
}

}  // namespace

int run(const Options& options) {
  auto lock = take_lock();
  if (!lock) {
    base::log::error("{}", lock.error().message);
    return 1;
  }
  return Daemon(options).run();
}

base::Result<bool> detach() {
  auto lock = take_lock();
  if (!lock) return std::unexpected(lock.error());
  // Addresses first: without the program nobody would keep the kernel from answering for them.
  auto socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  for (const auto& [address, lease] : dataplane::pinned_leases()) {
    auto removed = netlink::remove_address(*socket, static_cast<int>(lease.ifindex), address);
    if (!removed) return std::unexpected(removed.error());
  }
  fence::restore();
  return dataplane::detach_all();
}

}  // namespace control
