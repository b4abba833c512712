// SPDX-License-Identifier: Apache-2.0
#include "control/daemon.hpp"

#include <signal.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "control/assignments.hpp"
#include "control/attachments.hpp"
#include "control/candidate.hpp"
#include "control/child.hpp"
#include "control/fence.hpp"
#include "control/health_state.hpp"
#include "control/idle_slots.hpp"
#include "control/lock.hpp"
#include "control/network.hpp"
#include "control/notifications.hpp"
#include "control/notify.hpp"
#include "control/server.hpp"
#include "control/status.hpp"
#include "control/trackers.hpp"
#include "control/virtual_addresses.hpp"
#include "control/virtual_macs.hpp"
#include "control/virtual_routes.hpp"
#include "control/wire_watch.hpp"
#include "dataplane/dataplane.hpp"
#include "ipc/worker.hpp"
#include "netlink/addresses.hpp"
#include "netlink/socket.hpp"

namespace control {
namespace {

constexpr base::Duration kSweepPeriod = std::chrono::milliseconds(100);
constexpr size_t kSweepSteps = 20;           // a pass takes two seconds ...
constexpr size_t kLargestSweepStep = 65536;  // ... or longer, where the tables are so large that a step would be felt
constexpr base::Duration kLookPeriod = std::chrono::seconds(1);
constexpr base::Duration kGather = std::chrono::milliseconds(10);  // one change for many reports of health
// One that hangs is replaced within a second. What a judge finds who has almost overslept is not held against it:
// a beat that waits unread.
constexpr base::Duration kPatienceVrrp = std::chrono::milliseconds(600);
static_assert(kPatienceVrrp > 2 * Child::kJudgePeriod + ipc::kHeartbeatPeriod);
constexpr base::Duration kPatienceHealth = std::chrono::seconds(10);
constexpr base::Duration kComeBack =
    std::chrono::milliseconds(150);  // from a worker's start to its first advertisement
constexpr base::Duration kStopSlack = std::chrono::milliseconds(500);  // beyond the handover itself
constexpr base::Duration kLeftoverTime = std::chrono::seconds(1);

dataplane::TableSizes table_sizes(const model::Config& config) {
  return {.connections = config.connection_slots / XD_WAYS,
          .connections6 = config.connection_slots_ipv6 / XD_WAYS,
          .templates = config.persistence_slots / XD_WAYS};
}

class Daemon {
 public:
  explicit Daemon(const Options& options)
      : options_(options),
        notify_(loop_),
        sweep_timer_(loop_, [this] { sweep(); }),
        look_timer_(loop_, [this] { look_around(); }),
        apply_timer_(loop_, [this] { apply_or_log(); }),
        leftover_timer_(loop_, [this] { remove_leftovers(); }),
        stop_timer_(loop_, [this] { vrrp_.kill(); }),
        trackers_(loop_, [this] { vrrp_.send(trackers_.states()); }),
        notifications_(loop_),
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
  void hold_interfaces();
  void make_virtual_macs();
  void hold_fence();
  void send_vrrp();
  void tell_vrrp();
  void send_health();

  // What comes in.
  Child::Options vrrp_options();
  Child::Options health_options();
  void network_changed();
  void health_reported(const ipc::HealthReport& report);
  void vrrp_reported(const ipc::VrrpReport& report);
  void vrrp_lost(base::Duration restart_in);
  base::Result<> release_or_resume(const std::string& instance, bool release);
  bool serves() const;
  std::set<model::Slot> draining() const;
  void look_around();
  void sweep();
  void rebalance();
  void remove_leftovers();

  // What goes out.
  struct Freed {
    std::set<model::Slot> idle;    // no connection holds them
    std::set<base::Ip> addresses;  // not on this host any more
  };
  std::vector<std::string> program_interfaces(const model::Config& config) const;
  base::Result<> apply(const model::Config& config, const Freed& freed);
  void apply_or_log(const Freed& freed);
  void apply_or_log() { apply_or_log({}); }
  std::set<base::Ip> watched_addresses(const model::Config& config) const;
  std::string status() const;
  bool generic_wanted() const { return options_.xdp_mode == dataplane::Mode::generic; }

  const Options& options_;
  loop::Loop loop_;
  Notify notify_;
  std::unique_ptr<Network> network_;
  std::optional<dataplane::Dataplane> dataplane_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<loop::Signal>> signals_;
  loop::Timer sweep_timer_, look_timer_, apply_timer_, leftover_timer_, stop_timer_;

  model::Config config_;
  std::optional<Attachments> attachments_;
  std::optional<VirtualAddresses> virtual_addresses_;
  ReloadStatus last_reload_;
  int64_t started_ = base::unix_seconds(), loaded_ = 0;
  HealthState health_state_;
  IdleSlots idle_slots_;
  std::map<model::Index, uint64_t> positions_;  // of lc and wlc virtual servers, when they were rebalanced last
  Fence fence_;
  std::vector<std::string> fence_problems_, virtual_mac_problems_;
  WireWatch wire_watch_;
  std::map<std::string, ipc::VrrpReport> vrrp_reports_;
  ipc::ConfigureVrrp vrrp_sent_;
  std::set<std::string> released_;  // instances, by command: a new worker is told again
  ipc::ConfigureHealth health_sent_;
  Trackers trackers_;
  Notifications notifications_;
  bool stopping_ = false;
  Child vrrp_, health_;  // last: they end first
};

// --- what goes out: (configuration, surroundings) → tables → maps ---

base::Result<> Daemon::apply(const model::Config& config, const Freed& freed) {
  const AttachmentPlan plan(program_interfaces(config), network_->links());
  model::Surroundings around{.down = health_state_.down(),
                             .next_hops = network_->next_hops(),
                             .interface_index = {},
                             .interface_mac = plan.entrances(),
                             .idle = freed.idle,
                             .released = freed.addresses,
                             .tick = dataplane_->tick(),
                             .connections = dataplane_->sweep().counts()};
  for (const std::string& name : config.attached_interfaces()) {
    const std::optional<netlink::Link> link = network_->link(name);
    if (link) around.interface_index[name] = static_cast<uint32_t>(link->index);
  }
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    const std::optional<netlink::Link> link = network_->link(instance.vmac_name);
    if (instance.use_vmac && link) around.interface_index[link->name] = static_cast<uint32_t>(link->index);
  }
  for (auto& [address, next_hop] : around.next_hops) next_hop.ifindex = plan.exit(next_hop.ifindex).ifindex;
  base::Result<model::Tables> desired = model::desired_tables(config, around, dataplane_->tables());
  if (!desired) return std::unexpected(desired.error());
  return dataplane_->apply(std::move(*desired));
}

void Daemon::apply_or_log(const Freed& freed) {
  if (auto done = apply(config_, freed); !done) base::log::error("{}", done.error().message);
}

std::set<base::Ip> Daemon::watched_addresses(const model::Config& config) const {
  std::set<base::Ip> all(config.peer_directors.begin(), config.peer_directors.end());
  for (const model::VirtualServer& server : config.virtual_servers) {
    for (const model::RealServer& real : server.real_servers) all.insert(real.address);
  }
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) all.insert(entry.key.address);
  return all;
}

// --- configuration ---

// Those of the configuration, and wherever a virtual address still is.
std::vector<std::string> Daemon::program_interfaces(const model::Config& config) const {
  std::vector<std::string> all = config.attached_interfaces();
  for (const netlink::Link& link : virtual_addresses_->interfaces()) {
    // Frames to a virtual router's MAC address meet the program on the interface below.
    if (netlink::is_our_macvlan(link)) continue;
    if (std::ranges::find(all, link.name) == all.end()) all.push_back(link.name);
  }
  return all;
}

void Daemon::hold_interfaces() {
  make_virtual_macs();
  attachments_->hold(program_interfaces(config_));
  hold_fence();
}

void Daemon::make_virtual_macs() {
  std::set<int> in_use;
  for (const netlink::Link& link : virtual_addresses_->interfaces()) in_use.insert(link.index);
  auto problems = hold_virtual_macs(config_, in_use);
  if (problems != virtual_mac_problems_) {
    for (const std::string& problem : problems) base::log::error("{}", problem);
  }
  virtual_mac_problems_ = std::move(problems);
}

// All of the fence, wherever a virtual address is or may come: the program at the entrance, the filter at the exit, the
// kernel's own settings.
void Daemon::hold_fence() {
  std::set<std::string> interfaces;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) {
    interfaces.insert(instance.interface);
    for (const model::VirtualAddress& address : instance.all_addresses()) {
      if (!address.device.empty()) interfaces.insert(address.device);
    }
  }
  for (const netlink::Link& link : virtual_addresses_->interfaces()) {
    if (!netlink::is_our_macvlan(link)) interfaces.insert(link.name);  // what it sends leaves by the one below
  }
  std::vector<dataplane::Place> exits;
  for (const std::string& name : interfaces) {
    if (const auto link = network_->link(name)) exits.push_back({static_cast<uint32_t>(link->index), name, link->mtu});
  }
  std::vector<std::string> problems = dataplane_->hold_egress(exits);
  std::set<std::string> quiet = interfaces;
  if (serves()) quiet.insert("all");  // by whichever interface somebody asks for what is on lo
  if (const base::Result<> done = fence_.hold(kernel_settings(config_, quiet)); !done)
    problems.push_back(done.error().message);
  for (const std::string& name : interfaces) {
    if (const std::string problem = attachments_->problem(name); !problem.empty()) problems.push_back(problem);
  }
  for (const std::string& problem : problems) {
    if (std::ranges::find(fence_problems_, problem) == fence_problems_.end()) {
      base::log::warning("the fence is partial: {}", problem);
    }
  }
  fence_problems_ = std::move(problems);
}

void Daemon::send_vrrp() {
  ipc::ConfigureVrrp assignment = make_vrrp_assignment(config_, dataplane_->tables());
  if (assignment == vrrp_sent_) return;
  vrrp_sent_ = std::move(assignment);
  tell_vrrp();
}

void Daemon::tell_vrrp() {
  vrrp_.send(trackers_.states());
  vrrp_.send(vrrp_sent_, dataplane_->leases_fd());
  for (const std::string& instance : released_) vrrp_.send(ipc::Release{instance});
}

void Daemon::send_health() {
  ipc::ConfigureHealth assignment = health_state_.assignment(config_);
  ipc::ConfigureHealth news = assignment;
  // Which of them are up is the worker's own news and no reason to tell it again.
  for (ipc::HealthTarget& target : news.targets) target.up = true;
  if (std::exchange(health_sent_, news) != news) health_.send(assignment);
}

// Makes `config` the one in force. On an error everything is as before.
base::Result<> Daemon::take(const model::Config& config) {
  const model::Tables before = dataplane_->tables();
  network_->watch(watched_addresses(config));
  base::Result<> done = apply(config, {});
  if (done) done = attachments_->add(config.attached_interfaces());
  if (!done) {
    if (auto undone = dataplane_->apply(before); !undone) base::log::error("{}", undone.error().message);
    network_->watch(watched_addresses(config_));
    if (!config_.attached_interfaces().empty()) hold_interfaces();  // at a reload: those from before
    return done;
  }
  config_ = config;
  loaded_ = base::unix_seconds();
  virtual_addresses_->changed_from(before.leases);
  idle_slots_.draining_are(draining());
  hold_interfaces();
  trackers_.configure(config_);
  notifications_.configure(config_);
  if (health_state_.configure(config_)) apply_or_log();
  return {};
}

void Daemon::reload() {
  if (stopping_) return;
  base::log::info("reloading {}", options_.config_file);
  last_reload_ = {.at_unix = base::unix_seconds(), .ok = true, .errors = {}};
  Candidate candidate = read_candidate(options_.config_file, *network_, generic_wanted());
  const base::Duration handover = config_.longest_handover();  // of instances that the new one does not have
  if (candidate.errors.empty() && candidate.config == config_) {
    base::log::info("the configuration has not changed");
    return;
  }
  if (candidate.errors.empty()) {
    if (table_sizes(candidate.config) != table_sizes(config_)) {
      base::log::warning(
          "connection_slots, connection_slots_ipv6, persistence_slots: tables get another size when xdirector is "
          "started "
          "again; their entries are carried over");
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
  leftover_timer_.start(kLeftoverTime + handover);
  base::log::info("the new configuration is in force");
}

// --- what comes in ---

void Daemon::network_changed() {
  if (stopping_) return;
  const VirtualAddresses::Leases before = dataplane_->tables().leases;
  apply_or_log();
  hold_interfaces();
  if (dataplane_->tables().leases == before) return;
  virtual_addresses_->changed_from(before);  // an address of a real server may have come to this director, or left it
  send_vrrp();
  leftover_timer_.start(kLeftoverTime);
}

Child::Options Daemon::vrrp_options() {
  return {.role = "vrrp",
          .log_level = options_.log_level,
          .patience = kPatienceVrrp,
          .on_started = [this] { tell_vrrp(); },
          .on_message =
              [this](ipc::Message message) {
                if (const auto* report = std::get_if<ipc::VrrpReport>(&message)) vrrp_reported(*report);
              },
          .on_lost = [this](base::Duration restart_in) { vrrp_lost(restart_in); },
          .on_stopped = [this] { vrrp_stopped(); }};
}

Child::Options Daemon::health_options() {
  return {.role = "health",
          .log_level = options_.log_level,
          .patience = kPatienceHealth,
          .on_started = [this] { health_.send(health_state_.assignment(config_)); },
          .on_message =
              [this](ipc::Message message) {
                if (const auto* report = std::get_if<ipc::HealthReport>(&message)) health_reported(*report);
              },
          .on_lost = [](base::Duration) {},  // the last known health stands
          .on_stopped = [] {}};
}

void Daemon::health_reported(const ipc::HealthReport& report) {
  if (health_state_.report(report) && !apply_timer_.running()) apply_timer_.start(kGather);
  const std::optional<model::Member> failed = health_state_.failed(report);
  if (failed) network_->doubt(failed->real_server.address);
}

void Daemon::vrrp_reported(const ipc::VrrpReport& report) {
  vrrp_reports_[report.instance] = report;
  notifications_.report(report);
}

// `xdirector vrrp release` and `resume`.
base::Result<> Daemon::release_or_resume(const std::string& instance, bool release) {
  const auto& all = config_.vrrp_instances;
  if (std::ranges::find(all, instance, &model::VrrpInstance::name) == all.end()) {
    std::string names;
    for (const model::VrrpInstance& one : all) names += (names.empty() ? "" : ", ") + one.name;
    return base::fail(fmt::format("there is no VRRP instance \"{}\"; there are: {}", instance, names));
  }
  base::log::info("{}: {}", instance, release ? "release asked for" : "resume asked for");
  if (release) {
    released_.insert(instance);
    vrrp_.send(ipc::Release{instance});
  } else {
    released_.erase(instance);
    vrrp_.send(ipc::Resume{instance});
  }
  return {};
}

// A worker that is back within the lease resumes by itself.
void Daemon::vrrp_lost(base::Duration restart_in) {
  const base::Time back = base::now() + restart_in + kComeBack;
  for (const ipc::VrrpAssignment& assignment : virtual_addresses_->resign(vrrp_sent_.instances, back)) {
    const std::string& name = assignment.instance.name;
    base::log::error("{}: the vrrp worker cannot be back before the lease ends: resigned in its stead", name);
    ipc::VrrpReport& report = vrrp_reports_[name];
    report.state = ipc::VrrpState::fault;
    report.reason = "the vrrp worker keeps ending";
    report.since_unix = base::unix_seconds();
    notifications_.report(report);
  }
}

// Is this director a real server, too, of a virtual address?
bool Daemon::serves() const {
  return std::ranges::any_of(dataplane_->tables().leases, [](const auto& entry) { return entry.second.served_here; });
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
  const size_t step = std::min(kLargestSweepStep, dataplane_->sweep().size() / kSweepSteps + 1);
  if (!dataplane_->sweep().step(step, *tick)) return;
  rebalance();
  const std::set<model::Slot> idle = idle_slots_.pass_ended(draining(), dataplane_->sweep().counts());
  if (idle.empty()) return;
  apply_or_log({.idle = idle, .addresses = {}});
  network_->watch(watched_addresses(config_));
}

// What nobody tells: that somebody took a part of the fence off, and who advertises on our interfaces.
void Daemon::look_around() {
  hold_fence();
  std::set<std::string> interfaces;
  for (const model::VrrpInstance& instance : config_.vrrp_instances) interfaces.insert(instance.interface);
  const std::vector<dataplane::VrrpSeen> seen = dataplane_->vrrp_seen();
  const std::set<base::Ip> own = seen.empty() ? std::set<base::Ip>() : network_->addresses();
  const AttachmentPlan plan(program_interfaces(config_), network_->links());
  std::vector<WireRouter> routers;
  for (const dataplane::VrrpSeen& router : seen) {
    if (own.contains(router.sender)) continue;  // a switch sent it back
    for (const std::string& name : interfaces) {
      if (!plan.meets(name, router.ifindex, router.tags)) continue;
      routers.push_back({name, router.sender, router.virtual_router_id, router.priority, router.at});
    }
  }
  wire_watch_.look(config_.vrrp_instances, vrrp_reports_, routers, base::now());
  for (const std::string& line : wire_watch_.take_news()) base::log::warning("{}", line);
}

// lc and wlc: whoever has the fewest connections now gets the next ones.
void Daemon::rebalance() {
  const auto arrivals = [this](model::Index index) {
    const uint64_t now = dataplane_->maps().position(index), before = std::exchange(positions_[index], now);
    return now < before ? now : now - before;  // a new cycle has begun in between
  };
  const model::Cycles cycles = model::rebalanced(config_, dataplane_->tables(), dataplane_->sweep().counts(), arrivals);
  for (const auto& [index, cycle] : cycles) positions_[index] = 0;
  if (auto done = dataplane_->change_cycles(cycles); !done) base::log::error("{}", done.error().message);
}

// Some time after a reload: what the worker has not taken off by now, we do.
void Daemon::remove_leftovers() {
  Freed freed;
  const bool all = virtual_addresses_->clear_up(config_, freed.addresses);
  apply_or_log(freed);
  hold_interfaces();
  if (!all) leftover_timer_.start(kLeftoverTime);
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
               .fence_problems = fence_problems_,
               .other_routers = wire_watch_.others(),
               .workers = {{"vrrp", {vrrp_.pid(), vrrp_.restarts()}}, {"health", {health_.pid(), health_.restarts()}}},
               .vrrp = vrrp_reports_,
               .trackers = trackers_.status(),
               .health = health_state_.reports(),
               .slots = {},
               .lease_seconds = {},
               .counters = dataplane_->maps().counters()};
  for (auto& [instance, report] : all.vrrp) {
    if (const auto problem = wire_watch_.problem(instance)) report.problems.push_back(*problem);
  }
  const std::vector<dataplane::ConnectionCounts>& counts = dataplane_->sweep().counts();
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    all.slots[slot] = {counts[slot], dataplane_->maps().stats(slot)};
  }
  for (const base::Ip& peer : config_.peer_directors) {
    const auto known = network_->next_hops().find(peer);
    all.peer_directors[peer] = known == network_->next_hops().end() ? std::nullopt : known->second.mac;
  }
  for (const auto& [address, lease] : dataplane_->tables().leases) {
    all.lease_seconds[address.str()] = base::seconds(dataplane_->maps().lease_until(lease.index) - base::now());
  }
  return status_document(all);
}

// --- start and stop ---

base::Result<> Daemon::prepare(const model::Config& config) {
  auto opened = dataplane::Dataplane::open(table_sizes(config));
  if (!opened) return std::unexpected(opened.error());
  dataplane_.emplace(std::move(*opened));
  if (!dataplane_->found().empty()) base::log::info("{}", dataplane_->found());
  base::log::info("tables: {} connections of IPv4, {} of IPv6, {} persistence templates; {} MiB in all",
                  config.connection_slots, config.connection_slots_ipv6, config.persistence_slots,
                  dataplane_->bytes() >> 20);
  attachments_.emplace(*dataplane_, *network_, options_.xdp_mode);
  virtual_addresses_.emplace(*dataplane_, *network_, options_.farewell);
  health_state_.start_from(model::members_down(dataplane_->tables()));
  network_->watch(watched_addresses(config));
  for (const auto& [slot, entry] : dataplane_->tables().real_servers) {
    network_->remember(entry.key.address, entry.next_hop);
  }
  const base::Result<> taken = take(config);
  if (!taken && !dataplane_->in_use()) return taken;  // the next start finds what this one has found
  const base::Result<> kept = dataplane_->keep();
  return taken ? kept : taken;
}

void Daemon::clear_up_after_earlier_run() {
  Freed freed;
  if (!virtual_addresses_->clear_up_after_earlier_run(config_, freed.addresses)) leftover_timer_.start(kLeftoverTime);
  if (auto done = remove_stray_routes(config_); !done) base::log::error("{}", done.error().message);
  apply_or_log(freed);
  hold_interfaces();
}

void Daemon::start_workers() {
  send_vrrp();  // they do not run yet: it is kept for when they do
  send_health();
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
  const Candidate candidate = read_candidate(options_.config_file, *network_, generic_wanted());
  for (const std::string& error : candidate.errors) base::log::error("{}", error);
  if (!candidate.errors.empty()) return candidate.exit_code;
  auto server = Server::start(loop_, {.status = [this] { return status(); },
                                      .vrrp = [this](const std::string& instance,
                                                     bool release) { return release_or_resume(instance, release); }});
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
  look_timer_.start_every(kLookPeriod);
  notify_.ready();
  base::log::info("running with {}", options_.config_file);
  loop_.run();
  return 0;
}

void Daemon::stop(const char* signal_name) {
  if (std::exchange(stopping_, true)) return;
  base::log::info("{}: stopping", signal_name);
  const base::Duration handover = config_.longest_handover() + kStopSlack;
  notify_.stopping(handover + kStopSlack);
  sweep_timer_.stop();
  look_timer_.stop();
  leftover_timer_.stop();
  trackers_.stop();
  stop_timer_.start(handover);
  health_.stop();
  vrrp_.stop();
}

void Daemon::vrrp_stopped() {
  // One that had to be killed has not resigned, and may have left its addresses.
  const std::set<base::Ip> gone = virtual_addresses_->give_up(vrrp_sent_.instances);
  health_.kill();
  if (auto done = remove_stray_routes({}); !done) base::log::error("{}", done.error().message);
  if (auto done = remove_virtual_macs(); !done) base::log::error("{}", done.error().message);
  model::Tables tables = dataplane_->tables();
  // What could not be taken off stays fenced.
  std::erase_if(tables.leases, [&](const auto& entry) { return gone.contains(entry.first); });
  if (auto done = dataplane_->apply(tables); !done) base::log::error("{}", done.error().message);
  // A director that is a real server stays one behind its peers. Until they have taken over, its kernel must not see
  // the packets of the others' connections: it would reset them.
  if (serves()) {
    base::log::info(
        "stopped; the virtual addresses that are served here stay on lo, and the program goes on "
        "forwarding (`xdirector detach` takes both off)");
  } else {
    fence_.restore();
    if (!options_.keep_forwarding) dataplane::detach_all();
    base::log::info("stopped{}", options_.keep_forwarding
                                     ? "; the program goes on forwarding (`xdirector detach` takes it off)"
                                     : "");
  }
  notify_.stopping(Notifications::kLongestEnd + kStopSlack);
  notifications_.stop([this] { loop_.stop(); });
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

base::Result<Detached> detach() {
  auto lock = take_lock();
  if (!lock) return std::unexpected(lock.error());
  // Addresses first: without the program nobody would keep the kernel from answering for them.
  auto socket = netlink::Socket::open();
  if (!socket) return std::unexpected(socket.error());
  Detached detached;
  for (const auto& [address, lease] : dataplane::pinned_leases()) {
    auto removed = netlink::remove_address(*socket, static_cast<int>(lease.ifindex), address, netlink::Whose::ours);
    if (!removed) return std::unexpected(removed.error());
    if (!lease.served_here) continue;
    removed = netlink::remove_address(*socket, netlink::kLoopback, address, netlink::Whose::anyones);
    if (!removed) return std::unexpected(removed.error());
    detached.served_here.push_back(address);
  }
  if (auto done = remove_virtual_macs(); !done) return std::unexpected(done.error());
  if (auto done = remove_stray_routes({}); !done) return std::unexpected(done.error());
  Fence().restore();
  detached.program = dataplane::detach_all();
  return detached;
}

}  // namespace control
