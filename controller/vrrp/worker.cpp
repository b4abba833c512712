// SPDX-License-Identifier: Apache-2.0
#include "vrrp/worker.hpp"

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <set>

#include "ipc/worker.hpp"
#include "netlink/monitor.hpp"
#include "vrrp/announcement_watch.hpp"
#include "vrrp/instance.hpp"
#include "vrrp/interfaces.hpp"
#include "vrrp/privileges.hpp"
#include "vrrp/sync_group.hpp"

namespace vrrp {
namespace {

namespace log = base::log;
using namespace std::chrono_literals;

constexpr base::Duration kSecond = 1s;         // how often the parent is told of counters
constexpr base::Duration kRefreshDelay = 2ms;  // one look at the kernel's tables for a burst of events
constexpr base::Duration kFrozen = 500ms;      // a timer that is later than this, and than its interval

// An instance with its timer and what was last told of it.
struct Entry {
  Entry(loop::Loop& loop, ipc::VrrpAssignment assignment, Interfaces& interfaces, Leases& leases, base::Time born,
        std::function<void(Entry&)> on_timer)
      : interface(interfaces.at(hears_on(assignment.instance))),
        instance(std::move(assignment), interfaces, leases, born),
        timer(loop, [this, on_timer = std::move(on_timer)] { on_timer(*this); }) {}

  Interface& interface;  // where it hears others
  Instance instance;
  loop::Timer timer;
  std::optional<base::Time> armed_for;
  ipc::VrrpReport last_report;
  VrrpState told_group = VrrpState::init;                   // its group has followed it until here
  bool leaving = false;                                     // no longer configured: it ends when it has handed over
  bool foreign_source = false;                              // warned of
  std::vector<std::unique_ptr<AnnouncementWatch>> watches;  // during a handover
};

bool same_but_for_counters(const ipc::VrrpReport& a, const ipc::VrrpReport& b) {
  return a.state == b.state && a.reason == b.reason && a.since_unix == b.since_unix && a.priority == b.priority &&
         a.master == b.master && a.released == b.released && a.problems == b.problems;
}

class VrrpWorker {
 public:
  static base::Result<std::unique_ptr<VrrpWorker>> start() {
    auto netlink = netlink::Socket::open();
    if (!netlink) return std::unexpected(netlink.error());
    auto worker = std::make_unique<VrrpWorker>(*std::move(netlink));
    auto monitor = netlink::Monitor::start(worker->loop_, worker->monitor_handlers());
    if (!monitor) return std::unexpected(monitor.error());
    worker->monitor_ = *std::move(monitor);
    return worker;
  }

  explicit VrrpWorker(netlink::Socket netlink) : netlink_(std::move(netlink)) { second_timer_.start_every(kSecond); }

  void run() { loop_.run(); }

 private:
  // --- the parent

  void on_message(ipc::Message message, base::Fd attached) {
    if (const auto* configure = std::get_if<ipc::ConfigureVrrp>(&message)) on_configure(*configure, attached);
    if (const auto* states = std::get_if<ipc::TrackerStates>(&message)) on_trackers(*states);
    if (const auto* release = std::get_if<ipc::Release>(&message)) on_release(release->instance);
    if (const auto* resume = std::get_if<ipc::Resume>(&message)) on_resume(resume->instance);
    if (std::holds_alternative<ipc::Stop>(message)) on_stop();
  }

  void on_configure(const ipc::ConfigureVrrp& configure, const base::Fd& leases_map) {
    if (const auto ready = take_leases(leases_map); !ready) return log::error("{}", ready.error().message);
    for (const ipc::VrrpAssignment& assignment : configure.instances) {
      if (const auto good = check(assignment); !good) return log::error("{}", good.error().message);
    }
    groups_ = configure.groups;
    remove_instances_not_in(configure.instances);
    for (const ipc::VrrpAssignment& next : configure.instances) {
      if (Entry* entry = find(next)) entry->instance.withdraw(next);
    }
    for (const ipc::VrrpAssignment& next : configure.instances) {
      if (Entry* entry = find(next)) {
        if (entry->instance.assignment() != next) entry->instance.reconfigure(next, base::now());
      } else {
        add_instance(next);
      }
    }
    find_interfaces();
    for (const auto& entry : entries_) entry->last_report = {};  // so that every instance is told of, once
    refresh();
  }

  void on_trackers(const ipc::TrackerStates& states) {
    other_trackers_ = states.trackers;
    tell_trackers();
  }

  void tell_trackers() {
    std::vector<ipc::TrackerState> all = other_trackers_;
    all.insert(all.end(), tracked_interfaces_.begin(), tracked_interfaces_.end());
    for (const auto& entry : entries_) {
      entry->instance.trackers_are(all, base::now());
      settle(*entry);
    }
  }

  void on_release(const std::string& name) {
    for (Entry* entry : group_of(name)) {
      entry->instance.hand_over(/*stop=*/false, base::now());
      settle(*entry);
    }
  }

  void on_resume(const std::string& name) {
    for (Entry* entry : group_of(name)) {
      entry->instance.resume(base::now());
      settle(*entry);
    }
  }

  void on_stop() {
    stopping_ = true;
    for (const auto& entry : entries_) {
      entry->instance.hand_over(/*stop=*/true, base::now());
      settle(*entry);
    }
    stop_when_all_have_left();
  }

  void stop_when_all_have_left() {
    if (!stopping_) return;
    if (std::ranges::all_of(entries_, [](auto& e) { return e->instance.state() == VrrpState::init; })) loop_.stop();
  }

  base::Result<> take_leases(const base::Fd& leases_map) {
    if (!leases_map) return leases_ ? base::Result<>() : base::fail("the configuration came without the map of leases");
    if (leases_) return {};  // the same map for as long as this process lives
    auto leases = Leases::map(leases_map);
    if (!leases) return std::unexpected(leases.error());
    leases_ = std::make_unique<Leases>(*std::move(leases));
    return {};
  }

  static base::Result<> check(const ipc::VrrpAssignment& assignment) {
    const bool one_each = assignment.lease.size() == assignment.instance.all_addresses().size();
    if (one_each && std::ranges::all_of(assignment.lease, [](uint32_t i) { return i < Leases::size(); })) return {};
    return base::fail(assignment.instance.name + ": not one valid lease for each virtual address");
  }

  // One that leaves says no more once another one has its name.
  void tell(Entry& entry) {
    const std::string& name = entry.instance.assignment().instance.name;
    const bool has_heir = entry.leaving && std::ranges::any_of(entries_, [&](const auto& other) {
                            return !other->leaving && other->instance.assignment().instance.name == name;
                          });
    entry.last_report = entry.instance.report();
    if (!has_heir) channel_.send(entry.last_report);
  }

  void every_second() {
    if (gave_up_real_time()) {
      log::warning("real-time priority given up: this process ran for {} ms without a pause", kLongestRun.count());
    }
    for (const auto& entry : entries_) {
      entry->instance.every_second(base::now());
      if (entry->instance.report() != entry->last_report) tell(*entry);
    }
  }

  // --- instances

  Entry* find(const ipc::VrrpAssignment& assignment) {
    const auto found =
        std::ranges::find_if(entries_, [&](auto& e) { return !e->leaving && e->instance.is_same_as(assignment); });
    return found == entries_.end() ? nullptr : found->get();
  }

  // One whose addresses nobody else wants hands over; else they must be off before they are put elsewhere.
  void remove_instances_not_in(const std::vector<ipc::VrrpAssignment>& wanted) {
    for (const auto& entry : entries_) {
      if (std::ranges::any_of(wanted, [&](const auto& next) { return entry->instance.is_same_as(next); })) continue;
      entry->leaving = true;
      if (shares_addresses(entry->instance.assignment(), wanted)) {
        entry->instance.stop(base::now());
      } else {
        entry->instance.hand_over(/*stop=*/true, base::now());
      }
      settle(*entry);
    }
    remove_those_that_left();
  }

  static bool shares_addresses(const ipc::VrrpAssignment& one, const std::vector<ipc::VrrpAssignment>& others) {
    return std::ranges::any_of(others, [&](const ipc::VrrpAssignment& other) {
      return std::ranges::any_of(
          other.lease, [&](uint32_t index) { return std::ranges::find(one.lease, index) != one.lease.end(); });
    });
  }

  void remove_those_that_left() {
    std::erase_if(entries_, [](const auto& e) { return e->leaving && e->instance.state() == VrrpState::init; });
    find_interfaces();
  }

  // Those that the instances advertise on, and those that their addresses are on.
  void find_interfaces() {
    std::set<std::string> names;
    for (const auto& entry : entries_) {
      const model::VrrpInstance& config = entry->instance.assignment().instance;
      names.insert({config.interface, hears_on(config), sends_on(config)});
      for (const auto& address : config.all_addresses()) names.insert(place_of(config, address));
    }
    for (const std::string& name : names) interfaces_.at(name);
    interfaces_.keep_only(names);
  }

  void add_instance(const ipc::VrrpAssignment& assignment) {
    for (const std::string& name : {hears_on(assignment.instance), sends_on(assignment.instance)}) {
      interfaces_.at(name).listen(family_of(assignment.instance),
                                  [this, name](const Datagram& datagram) { on_packet(name, datagram); });
    }
    entries_.push_back(std::make_unique<Entry>(loop_, assignment, interfaces_, *leases_, born_,
                                               [this](Entry& entry) { on_timer(entry); }));
  }

  void on_timer(Entry& entry) {
    const base::Time due = entry.armed_for.value_or(base::now());
    entry.armed_for.reset();
    // What has come in already was there before the timer: after a freeze it must be heard before anything is sent.
    entry.interface.read_waiting();
    const base::Duration late = base::now() - due;
    if (late > std::max(kFrozen, entry.instance.assignment().instance.advert_int)) thaw(late);
    entry.instance.timer(base::now());
    settle(entry);
  }

  void thaw(base::Duration late) {
    log::warning("this process did not run for {:.1f} s", base::seconds(late));
    for (const auto& entry : entries_) entry->interface.read_waiting();
    for (const auto& entry : entries_) {
      entry->instance.thawed(base::now());
      settle(*entry);
    }
  }

  // After anything that may have changed an instance: its next deadline, its group, and the news for the parent.
  void settle(Entry& entry) {
    const auto deadline = entry.instance.deadline();
    if (!deadline) entry.timer.stop();
    if (deadline && deadline != entry.armed_for) entry.timer.start(*deadline - base::now());
    entry.armed_for = deadline;
    if (!same_but_for_counters(entry.instance.report(), entry.last_report)) tell(entry);
    watch_announcements(entry);
    group_follows(entry);
    if (entry.instance.state() == VrrpState::init && (entry.leaving || stopping_)) clean_up_timer_.start(0ms);
  }

  // During a handover: who has the addresses now?
  void watch_announcements(Entry& entry) {
    if (entry.instance.wants_announcements() != entry.watches.empty()) return;
    entry.watches.clear();
    if (!entry.instance.wants_announcements()) return;
    const model::VrrpInstance& config = entry.instance.assignment().instance;
    std::map<int, std::set<base::Ip>> places;
    for (const auto& address : config.all_addresses()) {
      places[interfaces_.at(place_of(config, address)).index()].insert(address.ip);
    }
    for (const auto& [ifindex, addresses] : places) {
      auto watch = AnnouncementWatch::open(loop_, ifindex, addresses, [this, &entry](const base::Ip& ip) {
        entry.instance.announced(ip, base::now());
        settle(entry);
      });
      if (!watch) return log::warning("{}: {}", config.name, watch.error().message);
      entry.watches.push_back(*std::move(watch));
    }
  }

  // --- sync groups

  const ipc::VrrpGroup* group_with(const std::string& instance) const {
    const auto found = std::ranges::find_if(
        groups_, [&](const auto& g) { return std::ranges::find(g.instances, instance) != g.instances.end(); });
    return found == groups_.end() ? nullptr : &*found;
  }

  // The instance and the other members of its group.
  std::vector<Entry*> group_of(const std::string& name) {
    const ipc::VrrpGroup* group = group_with(name);
    std::vector<Entry*> all;
    for (const auto& entry : entries_) {
      const std::string& its = entry->instance.assignment().instance.name;
      const bool member = group != nullptr && std::ranges::find(group->instances, its) != group->instances.end();
      if (!entry->leaving && (its == name || member)) all.push_back(entry.get());
    }
    return all;
  }

  void group_follows(Entry& entry) {
    const VrrpState before = std::exchange(entry.told_group, entry.instance.state());
    const std::string& name = entry.instance.assignment().instance.name;
    const ipc::VrrpGroup* group = group_with(name);
    if (group == nullptr || entry.leaving || stopping_) return;
    const auto news = news_for_group(group->name, name, before, entry.instance.state());
    for (Entry* member : group_of(name)) {
      if (member == &entry) continue;
      const VrrpState was = member->instance.state();
      const std::string& fault = entry.instance.own_fault();
      member->instance.group_fault_is(fault_beside(*member, *group), base::now());
      if (news && fault.empty()) member->instance.group_became(news->state, news->why, base::now());
      if (member->instance.state() != was) settle(*member);
    }
  }

  // The first fault of another member's own.
  std::string fault_beside(const Entry& member, const ipc::VrrpGroup& group) {
    for (const Entry* other : group_of(group.instances.front())) {
      if (other == &member || other->instance.own_fault().empty()) continue;
      return "sync group " + group.name + ": " + other->instance.assignment().instance.name + ": " +
             other->instance.own_fault();
    }
    return {};
  }

  // --- the network

  void on_packet(const std::string& interface, const Datagram& datagram) {
    const uint8_t router = peek_virtual_router_id(datagram.message);
    for (const auto& entry : entries_) {
      const model::VrrpInstance& config = entry->instance.assignment().instance;
      if (config.virtual_router_id != router || hears_on(config) != interface) continue;
      if (family_of(config) != datagram.destination.family()) continue;  // the same number in the other family
      if (entry->instance.received(datagram, base::now())) settle(*entry);
    }
  }

  netlink::Monitor::Handlers monitor_handlers() {
    return {.on_link =
                [this](netlink::Change, const netlink::Link& link) {
                  if (interfaces_.concerns(link.index, link.name) || tracks_interface(link.name)) refresh_soon();
                },
            .on_address =
                [this](netlink::Change, const netlink::Address& address) {
                  if (interfaces_.concerns(address.ifindex, {})) refresh_soon();
                },
            .on_neighbour = {},
            .on_resync = [this] { refresh_soon(); }};
  }

  void refresh_soon() {
    if (!refresh_timer_.running()) refresh_timer_.start(kRefreshDelay);
  }

  // Events only say that something changed; what is so now is read from the kernel's tables.
  void refresh() {
    const auto links = netlink::links(netlink_);
    const auto addresses = netlink::addresses(netlink_);
    if (!links || !addresses) {
      log::error("{}; trying again", (links ? addresses.error() : links.error()).message);
      return refresh_timer_.start(100ms);
    }
    interfaces_.refresh(*links, *addresses, all_virtual_addresses());
    for (const auto& entry : entries_) {
      entry->interface.read_waiting();  // a better MASTER may be heard before an instance decides to resume
    }
    look_at_tracked_interfaces(*links);
    for (const auto& entry : entries_) {
      warn_of_foreign_source(*entry, *addresses);
      refresh(*entry);
    }
  }

  bool tracks_interface(const std::string& name) const {
    return std::ranges::any_of(entries_, [&](const auto& entry) {
      return std::ranges::any_of(entry->instance.assignment().instance.tracked, [&](const model::Tracked& tracked) {
        return tracked.kind == model::TrackerKind::interface && tracked.name == name;
      });
    });
  }

  void look_at_tracked_interfaces(const std::vector<netlink::Link>& links) {
    std::set<std::string> names;
    for (const auto& entry : entries_) {
      for (const model::Tracked& tracked : entry->instance.assignment().instance.tracked) {
        if (tracked.kind == model::TrackerKind::interface) names.insert(tracked.name);
      }
    }
    std::vector<ipc::TrackerState> states;
    for (const std::string& name : names) {
      const auto link = std::ranges::find(links, name, &netlink::Link::name);
      states.push_back({.kind = model::TrackerKind::interface,
                        .name = name,
                        .known = true,
                        .up = link != links.end() && link->up && link->running});
    }
    if (std::exchange(tracked_interfaces_, states) != states) tell_trackers();
  }

  // The same file on both directors, say: then each takes the other's advertisements for its own.
  static void warn_of_foreign_source(Entry& entry, const std::vector<netlink::Address>& addresses) {
    const model::VrrpInstance& config = entry.instance.assignment().instance;
    const bool foreign =
        config.source != base::Ip() && std::ranges::none_of(addresses, [&](auto& a) { return a.ip == config.source; });
    if (foreign && !entry.foreign_source) {
      log::warning("{}: mcast_src_ip {} is not an address of this host", config.name, config.source.str());
    }
    entry.foreign_source = foreign;
  }

  std::vector<base::Ip> all_virtual_addresses() const {
    std::vector<base::Ip> all;
    for (const auto& entry : entries_) {
      const model::VrrpInstance& config = entry->instance.assignment().instance;
      if (config.priority == 255) continue;  // the interface's own
      for (const auto& address : config.all_addresses()) all.push_back(address.ip);
    }
    return all;
  }

  void refresh(Entry& entry) {
    Instance& instance = entry.instance;
    // Asked first: an address that is taken further down cannot be in the tables read before.
    const model::VrrpInstance& config = instance.assignment().instance;
    const bool missing = instance.should_have_addresses() && !interfaces_.has_all_addresses_of(config);
    instance.interface_is({.problem = interfaces_.problem_of(config),
                           .only_down = interfaces_.at(config.interface).only_down(),
                           .source = interfaces_.source_of(config),
                           .networks = interfaces_.at(config.interface).networks()},
                          base::now());
    if (missing && instance.should_have_addresses()) instance.restore_addresses(base::now());
    for (const base::Ip& ip : instance.addresses_for_lo()) {
      if (!interfaces_.has_on_lo(ip)) instance.restore_on_lo(ip);
    }
    if (entry.interface.has_another_mac()) instance.announce_again();
    settle(entry);
  }

  const base::Time born_ = base::now();
  loop::Loop loop_;
  netlink::Socket netlink_;
  std::unique_ptr<netlink::Monitor> monitor_;
  std::unique_ptr<Leases> leases_;
  Interfaces interfaces_{loop_, netlink_};
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<ipc::VrrpGroup> groups_;
  std::vector<ipc::TrackerState> tracked_interfaces_, other_trackers_;
  bool stopping_ = false;
  loop::Timer clean_up_timer_{loop_, [this] {
                                remove_those_that_left();
                                stop_when_all_have_left();
                              }};
  loop::Timer refresh_timer_{loop_, [this] { refresh(); }};
  loop::Timer second_timer_{loop_, [this] { every_second(); }};
  ipc::Worker channel_{
      loop_, [this](ipc::Message message, base::Fd attached) { on_message(std::move(message), std::move(attached)); }};
};

}  // namespace

int run_worker(base::log::Level level) {
  log::start("vrrp", level);
  // A service manager that signals every process of the service means the parent, which will tell us.
  std::signal(SIGTERM, SIG_IGN);
  settle_privileges();
  const auto worker = VrrpWorker::start();
  if (!worker) {
    log::error("{}", worker.error().message);
    return 1;
  }
  (*worker)->run();
  return 0;
}

}  // namespace vrrp
