// SPDX-License-Identifier: Apache-2.0
#include "vrrp/worker.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <set>

#include "ipc/worker.hpp"
#include "netlink/monitor.hpp"
#include "vrrp/instance.hpp"
#include "vrrp/interfaces.hpp"
#include "vrrp/privileges.hpp"

namespace vrrp {
namespace {

namespace log = base::log;
using namespace std::chrono_literals;

constexpr base::Duration kSecond = 1s;         // how often the parent is told of counters
constexpr base::Duration kRefreshDelay = 2ms;  // one look at the kernel's tables for a burst of events

// An instance with its timer and what was last told of it.
struct Entry {
  Entry(loop::Loop& loop, ipc::VrrpAssignment assignment, Interfaces& interfaces, Leases& leases,
        std::function<void(Entry&)> on_timer)
      : interface(interfaces.at(assignment.instance.interface)),
        instance(std::move(assignment), interfaces, leases),
        timer(loop, [this, on_timer = std::move(on_timer)] { on_timer(*this); }) {}

  Interface& interface;
  Instance instance;
  loop::Timer timer;
  std::optional<base::Time> armed_for;
  ipc::VrrpReport last_report;
  bool foreign_source = false;  // warned of
};

bool same_but_for_counters(const ipc::VrrpReport& a, const ipc::VrrpReport& b) {
  return a.state == b.state && a.reason == b.reason && a.since_unix == b.since_unix && a.priority == b.priority &&
         a.master == b.master;
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
    if (std::holds_alternative<ipc::Stop>(message)) on_stop();
  }

  void on_configure(const ipc::ConfigureVrrp& configure, const base::Fd& leases_map) {
    if (const auto ready = take_leases(leases_map); !ready) return log::error("{}", ready.error().message);
    for (const ipc::VrrpAssignment& assignment : configure.instances) {
      if (const auto good = check(assignment); !good) return log::error("{}", good.error().message);
    }
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

  void on_stop() {
    for (const auto& entry : entries_) {
      entry->instance.stop(base::now());
      tell(*entry);
    }
    loop_.stop();
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

  void tell(Entry& entry) {
    entry.last_report = entry.instance.report();
    channel_.send(entry.last_report);
  }

  void every_second() {
    if (gave_up_real_time()) {
      log::warning("real-time priority given up: this process ran for {} ms without a pause", kLongestRun.count());
    }
    for (const auto& entry : entries_) {
      if (entry->instance.report() != entry->last_report) tell(*entry);
    }
  }

  // --- instances

  Entry* find(const ipc::VrrpAssignment& assignment) {
    const auto found = std::ranges::find_if(entries_, [&](auto& e) { return e->instance.is_same_as(assignment); });
    return found == entries_.end() ? nullptr : found->get();
  }

  void remove_instances_not_in(const std::vector<ipc::VrrpAssignment>& wanted) {
    std::erase_if(entries_, [&](const auto& entry) {
      if (std::ranges::any_of(wanted, [&](const auto& next) { return entry->instance.is_same_as(next); })) return false;
      entry->instance.stop(base::now());
      return true;
    });
  }

  // Those that the instances advertise on, and those that their addresses are on.
  void find_interfaces() {
    std::set<std::string> names;
    for (const auto& entry : entries_) {
      const model::VrrpInstance& config = entry->instance.assignment().instance;
      names.insert(config.interface);
      for (const auto& address : config.all_addresses()) names.insert(place_of(config, address));
    }
    for (const std::string& name : names) interfaces_.at(name);
    interfaces_.keep_only(names);
  }

  void add_instance(const ipc::VrrpAssignment& assignment) {
    const std::string& name = assignment.instance.interface;
    interfaces_.at(name).listen([this, name](const Datagram& datagram) { on_packet(name, datagram); });
    entries_.push_back(std::make_unique<Entry>(loop_, assignment, interfaces_, *leases_, [this](Entry& entry) {
      entry.armed_for.reset();
      entry.instance.timer(base::now());
      settle(entry);
    }));
  }

  // After anything that may have changed an instance: its next deadline, and the news for the parent.
  void settle(Entry& entry) {
    const auto deadline = entry.instance.deadline();
    if (!deadline) entry.timer.stop();
    if (deadline && deadline != entry.armed_for) entry.timer.start(*deadline - base::now());
    entry.armed_for = deadline;
    if (!same_but_for_counters(entry.instance.report(), entry.last_report)) tell(entry);
  }

  // --- the network

  void on_packet(const std::string& interface, const Datagram& datagram) {
    const uint8_t router = peek_virtual_router_id(datagram.message);
    for (const auto& entry : entries_) {
      const model::VrrpInstance& config = entry->instance.assignment().instance;
      if (config.virtual_router_id != router || config.interface != interface) continue;
      if (entry->instance.received(datagram, base::now())) settle(*entry);
    }
  }

  netlink::Monitor::Handlers monitor_handlers() {
    return {.on_link =
                [this](netlink::Change, const netlink::Link& link) {
                  if (interfaces_.concerns(link.index, link.name)) refresh_soon();
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
    for (const auto& entry : entries_) {
      warn_of_foreign_source(*entry, *addresses);
      refresh(*entry);
    }
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
    const int family = config.is_v6() ? AF_INET6 : AF_INET;
    instance.interface_is(interfaces_.problem_of(config), entry.interface.primary_address(family), base::now());
    if (missing && instance.should_have_addresses()) instance.restore_addresses(base::now());
    for (const base::Ip& ip : instance.addresses_for_lo()) {
      if (!interfaces_.has_on_lo(ip)) instance.restore_on_lo(ip);
    }
    if (entry.interface.has_another_mac()) instance.announce_again();
    settle(entry);
  }

  loop::Loop loop_;
  netlink::Socket netlink_;
  std::unique_ptr<netlink::Monitor> monitor_;
  std::unique_ptr<Leases> leases_;
  Interfaces interfaces_{loop_, netlink_};
  std::vector<std::unique_ptr<Entry>> entries_;
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
