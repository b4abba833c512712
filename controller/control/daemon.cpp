// SPDX-License-Identifier: Apache-2.0
#include "control/daemon.hpp"

#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "config/load.hpp"
#include "control/assignments.hpp"
#include "control/child.hpp"
#include "control/fence.hpp"
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
constexpr base::Duration kPatienceVrrp = std::chrono::seconds(1);  // a lease is 3 s or more: time to come back
constexpr base::Duration kPatienceHealth = std::chrono::seconds(10);
constexpr base::Duration kComeBack =
    std::chrono::milliseconds(500);  // from a worker's start to its first advertisement
constexpr base::Duration kFarewellTime = std::chrono::milliseconds(1200);
constexpr base::Duration kLeftoverTime = std::chrono::seconds(1);

// A configuration to be taken, if it has no errors.
struct Candidate {
  model::Config config;
  std::vector<std::string> errors;
  int exit_code = 0;  // of a start that fails on it: a host can change by itself, a file cannot
};

Candidate read_candidate(const std::string& file, Network& network) {
  Candidate candidate;
  auto loaded = config::load_file(file);
  if (!loaded) {
    for (const config::Diagnostic& diagnostic : loaded.error()) candidate.errors.push_back(diagnostic.str());
    candidate.exit_code = kExitConfiguration;
    return candidate;
  }
  for (const config::Diagnostic& warning : loaded->warnings) base::log::warning("{}", warning.str());
  candidate.config = std::move(loaded->config);
  for (const std::string& problem : network.problems(candidate.config)) {
    candidate.errors.push_back(fmt::format("{}: {}", file, problem));
    candidate.exit_code = 1;
  }
  return candidate;
}

class Daemon {
 public:
  explicit Daemon(const Options& options)
      : options_(options),
        notify_(loop_),
        sweep_timer_(loop_, [this] { sweep(); }),
        leftover_timer_(loop_, [this] { remove_leftovers(); }),
        stop_timer_(loop_, [this] { vrrp_.kill(); }),
        vrrp_(loop_, vrrp_options()),
        health_(loop_, health_options()) {}

  int run();

 private:
  // Start and stop, in the order of DESIGN.md decision 14: tables, program, workers; and back.
  base::Result<> prepare(const model::Config& config);
  void start_workers();
  void stop(const char* signal_name);
  void vrrp_stopped();
  void finish();

  // Configuration.
  void reload();
  base::Result<> take(const model::Config& config);
  base::Result<> attach(const model::Config& config);
  void detach_unused();
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
  std::set<model::Slot> draining() const;
  void sweep();
  void remove_leftovers();

  // What goes out.
  model::Surroundings surroundings(const model::Config& config) const;
  base::Result<> apply(const model::Config& config);
  void apply_or_log();
  std::set<base::Ipv4> real_server_addresses(const model::Config& config) const;
  std::string status() const;

  const Options& options_;
  loop::Loop loop_;
  Notify notify_;
  std::unique_ptr<Network> network_;
  std::optional<dataplane::Dataplane> dataplane_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<loop::Signal>> signals_;
  loop::Timer sweep_timer_, leftover_timer_, stop_timer_;

  model::Config config_;
  ReloadStatus last_reload_;
  int64_t started_ = base::unix_seconds(), loaded_ = 0;
  std::map<uint32_t, InterfaceStatus> attached_;  // by ifindex
  std::set<model::Member> down_;
  std::set<model::Slot> idle_, draining_at_pass_start_;
  std::set<base::Ipv4> released_;
  TargetIds ids_;
  std::map<std::string, ipc::VrrpReport> vrrp_reports_;
  std::map<model::Member, ipc::HealthReport> health_reports_;
  ipc::ConfigureVrrp vrrp_sent_;
  ipc::ConfigureHealth health_sent_;
  bool vrrp_said_farewell_ = false;
  int exit_code_ = 0;
  Child vrrp_, health_;  // last: they end first
};

// --- what goes out: (configuration, surroundings) → tables → maps ---

model::Surroundings Daemon::surroundings(const model::Config& config) const {
  model::Surroundings around{.down = down_,
                             .next_hops = network_->next_hops(),
                             .interface_index = {},
                             .interface_mac = {},
                             .idle = idle_,
                             .released = released_,
                             .tick = dataplane_->tick()};
  for (const std::string& name : config.attached_interfaces()) {
    const std::optional<netlink::Link> link = network_->link(name);
    if (!link) continue;
    around.interface_index[name] = static_cast<uint32_t>(link->index);
    around.interface_mac[static_cast<uint32_t>(link->index)] = link->mac;
  }
  return around;
}

base::Result<> Daemon::apply(const model::Config& config) {
  base::Result<model::Tables> desired = model::desired_tables(config, surroundings(config), dataplane_->tables());
  if (!desired) return std::unexpected(desired.error());
  return dataplane_->apply(*desired);
}

void Daemon::apply_or_log() {
  if (auto done = apply(config_); !done) base::log::error("{}", done.error().message);
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

// Puts the program on every interface of the configuration that exists; one that is attached already is left alone.
base::Result<> Daemon::attach(const model::Config& config) {
  std::set<uint32_t> keep;
  for (const std::string& name : config.attached_interfaces()) {
    const std::optional<netlink::Link> link = network_->link(name);
    if (!link) continue;
    const auto ifindex = static_cast<uint32_t>(link->index);
    keep.insert(ifindex);
    if (attached_.contains(ifindex)) continue;
    auto attached = dataplane_->attach_to(ifindex, name, options_.xdp_mode);
    if (!attached) return std::unexpected(attached.error());
    attached_[ifindex] = {name, std::string(dataplane::name(attached->mode)), attached->warning};
    base::log::info("{}: {} XDP{}", name, dataplane::name(attached->mode),
                    attached->adopted ? ", in place of the program of an earlier run" : "");
    if (!attached->warning.empty()) base::log::warning("{}", attached->warning);
  }
  std::erase_if(attached_, [&](const auto& entry) { return !keep.contains(entry.first); });
  return {};
}

// Links of interfaces that have left the configuration or the host.
void Daemon::detach_unused() {
  std::set<uint32_t> keep;
  for (const auto& [ifindex, interface] : attached_) keep.insert(ifindex);
  dataplane::detach_others(keep);
}

void Daemon::hold_fence() {
  std::set<std::string> interfaces;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) interfaces.insert(instance.interface);
  if (auto done = fence::hold(interfaces); !done) base::log::warning("the fence is partial: {}", done.error().message);
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

// Makes `config` the one in force. On an error the one before still is.
base::Result<> Daemon::take(const model::Config& config) {
  std::set<base::Ipv4> addresses = real_server_addresses(config);
  network_->watch(addresses);
  if (auto done = apply(config); !done) return done;
  if (auto done = attach(config); !done) {
    apply_or_log();
    static_cast<void>(attach(config_));
    return done;
  }
  config_ = config;
  loaded_ = base::unix_seconds();
  detach_unused();
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
  released_.clear();
  send_vrrp();
  send_health();
  leftover_timer_.start(kLeftoverTime);
  base::log::info("the new configuration is in force");
}

// --- what comes in ---

void Daemon::network_changed() {
  apply_or_log();
  if (auto done = attach(config_); !done) base::log::error("{}", done.error().message);
  detach_unused();
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
  apply_or_log();
}

Child::Options Daemon::vrrp_options() {
  return {.role = "vrrp",
          .log_level = options_.log_level,
          .patience = kPatienceVrrp,
          .on_started =
              [this] {
                vrrp_said_farewell_ = false;
                vrrp_.send(vrrp_sent_, dataplane_->leases_fd());
              },
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

// A worker that is back within the lease resumes by itself; for one that is not we end the lease and say goodbye.
void Daemon::vrrp_lost(base::Duration restart_in) {
  const base::Time back = base::now() + restart_in + kComeBack;
  bool too_late = false;
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    const uint64_t until = dataplane_->maps().lease_until(lease.index);
    too_late = too_late || (until > static_cast<uint64_t>(base::now().ns) && until < static_cast<uint64_t>(back.ns));
  }
  if (!too_late || vrrp_said_farewell_) return;
  base::log::error("the vrrp worker cannot be back before its lease ends: resigning in its stead");
  vrrp_said_farewell_ = true;
  for (const auto& [address, lease] : dataplane_->tables().leases) dataplane_->maps().end_lease(lease.index);
  if (auto done = options_.farewell(vrrp_sent_.instances); !done) base::log::error("{}", done.error().message);
  for (auto& [name, report] : vrrp_reports_) {
    report.state = ipc::VrrpState::fault;
    report.reason = "the vrrp worker keeps ending";
    report.since_unix = base::unix_seconds();
  }
}

// Slots whose real server is not in the configuration any more.
std::set<model::Slot> Daemon::draining() const {
  std::map<model::Member, model::Slot> slots = model::slots_by_member(dataplane_->tables());
  for (const model::VirtualServer& server : config_.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) slots.erase({server.key, model::key_of(real)});
  }
  std::set<model::Slot> all;
  for (const auto& [member, slot] : slots) all.insert(slot);
  return all;
}

// Counts and expiry; and once a pass has seen no connection of a slot that was draining when it began, the slot is
// free.
void Daemon::sweep() {
  const std::optional<uint32_t> tick = dataplane_->current_tick();
  if (!tick) return;
  const size_t buckets = dataplane_->maps().buckets().size();
  const size_t step = std::min(kLargestSweepStep, buckets / kSweepSteps + 1);
  if (!dataplane_->sweep().step(step, *tick)) return;
  const std::vector<dataplane::ConnectionCounts>& counts = dataplane_->sweep().counts();
  const std::set<model::Slot> draining_now = draining();
  for (const model::Slot slot : std::exchange(draining_at_pass_start_, draining_now)) {
    const bool empty = counts[slot].active + counts[slot].inactive == 0;
    if (empty && draining_now.contains(slot)) idle_.insert(slot);
  }
  if (idle_.empty()) return;
  apply_or_log();
  idle_.clear();
  network_->watch(real_server_addresses(config_));
}

// After a reload: virtual addresses that left the configuration are off by now; else we take them off.
void Daemon::remove_leftovers() {
  std::set<base::Ipv4> configured;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) {
    configured.insert(instance.virtual_addresses.begin(), instance.virtual_addresses.end());
  }
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    if (!configured.contains(address) && network_->remove_address(lease.ifindex, address)) released_.insert(address);
  }
  apply_or_log();
  released_.clear();
}

std::string Daemon::status() const {
  Snapshot all{.config_file = options_.config_file,
               .started_unix = started_,
               .config_loaded_unix = loaded_,
               .now_unix = base::unix_seconds(),
               .reload = last_reload_,
               .config = &config_,
               .tables = &dataplane_->tables(),
               .interfaces = {},
               .workers = {{"vrrp", {vrrp_.pid(), vrrp_.restarts()}}, {"health", {health_.pid(), health_.restarts()}}},
               .vrrp = vrrp_reports_,
               .health = health_reports_,
               .slots = {},
               .lease_seconds = {},
               .counters = dataplane_->maps().counters()};
  for (const std::string& name : config_.attached_interfaces()) {
    InterfaceStatus status{name, "", "the interface does not exist"};
    for (const auto& [ifindex, attached] : attached_) {
      if (attached.name == name) status = attached;
    }
    all.interfaces.push_back(status);
  }
  const std::vector<dataplane::ConnectionCounts>& counts = dataplane_->sweep().counts();
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    all.slots[slot] = {counts[slot], dataplane_->maps().stats(slot)};
  }
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    const auto until = static_cast<int64_t>(dataplane_->maps().lease_until(lease.index));
    all.lease_seconds[address.str()] = base::seconds(base::Time{until} - base::now());
  }
  return status_json(all).dump(2) + "\n";
}

// --- start and stop ---

base::Result<> Daemon::prepare(const model::Config& config) {
  auto opened = dataplane::Dataplane::open(config.connection_slots / XD_WAYS);
  if (!opened) return std::unexpected(opened.error());
  dataplane_.emplace(std::move(*opened));
  if (!dataplane_->found().empty()) base::log::info("{}", dataplane_->found());
  base::log::info("connection table: {} slots; all tables: {} MiB", config.connection_slots, dataplane_->bytes() >> 20);
  down_ = model::members_down(dataplane_->tables());
  network_->watch(real_server_addresses(config));
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    network_->remember(entry.key.address, entry.next_hop);
  }
  return take(config);
}

void Daemon::start_workers() {
  vrrp_sent_ = make_vrrp_assignment(config_, dataplane_->tables());
  health_sent_ = make_health_assignment(config_, {}, ids_);
  vrrp_.start();
  health_.start();
  leftover_timer_.start(kLeftoverTime);
}

int Daemon::run() {
  auto network = Network::start(loop_, [this] { network_changed(); });
  if (!network) {
    base::log::error("{}", network.error().message);
    return 1;
  }
  network_ = std::move(*network);
  const Candidate candidate = read_candidate(options_.config_file, *network_);
  for (const std::string& error : candidate.errors) base::log::error("{}", error);
  if (!candidate.errors.empty()) return candidate.exit_code;
  if (auto done = prepare(candidate.config); !done) {
    base::log::error("{}", done.error().message);
    return 1;
  }
  auto server = Server::start(loop_, [this] { return status(); });
  if (!server) {
    base::log::error("{}", server.error().message);
    return 1;
  }
  server_ = std::move(*server);
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGHUP, [this] { reload(); }));
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGTERM, [this] { stop("SIGTERM"); }));
  signals_.push_back(std::make_unique<loop::Signal>(loop_, SIGINT, [this] { stop("SIGINT"); }));
  start_workers();
  sweep_timer_.start_every(kSweepPeriod);
  notify_.ready();
  base::log::info("running with {}", options_.config_file);
  loop_.run();
  return exit_code_;
}

void Daemon::stop(const char* signal_name) {
  base::log::info("{}: stopping", signal_name);
  notify_.stopping();
  sweep_timer_.stop();
  stop_timer_.start(kFarewellTime);
  health_.stop();
  vrrp_.stop();
}

void Daemon::vrrp_stopped() {
  // One that had to be killed may have left its addresses.
  for (const auto& [address, lease] : dataplane_->tables().leases) dataplane_->maps().end_lease(lease.index);
  for (const auto& [address, lease] : dataplane_->tables().leases) network_->remove_address(lease.ifindex, address);
  finish();
}

void Daemon::finish() {
  health_.kill();
  for (const auto& [address, lease] : dataplane_->tables().leases) released_.insert(address);
  model::Tables tables = dataplane_->tables();
  tables.leases.clear();
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
