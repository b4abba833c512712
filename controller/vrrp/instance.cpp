// SPDX-License-Identifier: Apache-2.0
#include "vrrp/instance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iterator>

#include "base/log.hpp"

namespace vrrp {
namespace {

namespace log = base::log;
using namespace std::chrono_literals;

constexpr base::Duration kRestoreAtMost = std::chrono::seconds(1);  // someone may be taking them away again and again

constexpr base::Duration kDefaultCap = 10s;
constexpr base::Duration kChangingPlaces = 1s;
constexpr base::Duration kProblemLasts = std::chrono::seconds(10);

// The word for a problem.
std::string_view kind_of(Reason reason) {
  switch (reason) {
    case Reason::auth_type:
    case Reason::password:
      return "authentication";
    case Reason::advert_int:
      return "advert_int";
    case Reason::version:
      return "version";
    case Reason::own_source:
      return "own_address";
    default:
      return "rejected";
  }
}

std::string list(const std::vector<base::Ip>& addresses) {
  std::string text;
  for (const base::Ip& ip : addresses) text += (text.empty() ? "" : ", ") + ip.str();
  return text;
}

std::vector<base::Ip> ips(const std::vector<model::VirtualAddress>& addresses) {
  std::vector<base::Ip> all;
  all.reserve(addresses.size());
  for (const model::VirtualAddress& address : addresses) all.push_back(address.ip);
  return all;
}

bool contains(const std::vector<model::VirtualAddress>& addresses, const base::Ip& ip) {
  return std::ranges::find(addresses, ip, &model::VirtualAddress::ip) != addresses.end();
}

std::string text(const model::VirtualRoute& route) {
  return fmt::format("{}/{}", route.destination.str(), route.prefix_length);
}

// With the same prefix and so on, and in the same place.
bool has_alike(const model::VrrpInstance& other, const model::VrrpInstance& instance,
               const model::VirtualAddress& address) {
  return std::ranges::any_of(other.all_addresses(), [&](const model::VirtualAddress& a) {
    return a == address && place_of(other, a) == place_of(instance, address);
  });
}

}  // namespace

Instance::Instance(ipc::VrrpAssignment assignment, Port& port, Leases& leases, base::Time born)
    : assignment_(std::move(assignment)), port_(port), leases_(leases), born_(born), parameters_(make_parameters()) {
  report_.since_unix = base::unix_seconds();
}

Parameters Instance::make_parameters() const {
  const model::VrrpInstance& config = assignment_.instance;
  const base::Duration default_cap = std::max<base::Duration>(4 * config.advert_int, kDefaultCap);
  return {.version = config.version,
          .priority = effective_priority(config.priority, tracking_.weight),
          .advertisement_interval = config.advert_int,
          .longest_interval = config.longest_advert_int > 0s ? config.longest_advert_int : default_cap,
          .down_timer_adverts = config.down_timer_adverts,
          .preempt = !config.nopreempt,
          .preempt_delay = config.preempt_delay,
          .start_at = born_ + config.startup_delay,
          .farewell = config.farewell,
          .announcements = config.announcements,
          .source = config.source != base::Ip() ? config.source : interface_.source.value_or(base::Ip())};
}

// --- what happens to it

void Instance::interface_is(InterfaceState state, base::Time now) {
  interface_ = std::move(state);
  looked_at_ = true;
  evaluate(now);
}

void Instance::trackers_are(const std::vector<ipc::TrackerState>& states, base::Time now) {
  trackers_ = states;
  if (looked_at_) evaluate(now);
}

void Instance::group_fault_is(const std::string& fault, base::Time now) {
  if (std::exchange(group_fault_, fault) != fault && looked_at_) evaluate(now);
}

void Instance::group_became(VrrpState state, const std::string& why, base::Time now) {
  if (state == VrrpState::master) {
    handle(event::GroupMaster{why}, now);
  } else {
    handle(event::GroupBackup{why}, now);
  }
}

std::string Instance::interface_fault() const {
  const model::VrrpInstance& config = assignment_.instance;
  if (!interface_.problem.empty() && !(interface_.only_down && !config.track_primary)) return interface_.problem;
  if (parameters_.source != base::Ip()) return {};
  if (config.is_v6()) return config.interface + " has no link-local IPv6 address to send from; give it one";
  return config.interface + " has no IPv4 address to send from; give it one, or set mcast_src_ip";
}

// From all that is known now: the priority, and whether it may serve.
void Instance::evaluate(base::Time now) {
  const uint8_t before = parameters_.priority;
  tracking_ = judge(assignment_.instance.tracked, trackers_);
  parameters_ = make_parameters();
  if (started_ && before != parameters_.priority) {
    log::info("{}: priority {} → {}", assignment_.instance.name, before, parameters_.priority);
  }
  const std::string unusable = interface_fault();
  own_fault_ = unusable.empty() ? tracking_.fault : unusable;
  const std::string& why = own_fault_.empty() ? group_fault_ : own_fault_;
  if (!why.empty()) {
    started_ = true;
    if (machine_.state != VrrpState::fault || machine_.reason != why) {
      handle(event::Fault{.why = why, .can_send = unusable.empty()}, now);
    }
  } else if (!started_) {
    const bool lease_runs = std::ranges::any_of(assignment_.lease, [&](auto i) { return leases_.until(i) > now; });
    if (!lease_runs && !tracking_.waiting_for.empty()) return;
    started_ = true;
    handle(event::Startup{.resume = lease_runs}, now);
  } else if (machine_.state == VrrpState::fault) {
    handle(event::FaultOver{}, now);
  }
}

bool Instance::received(const Datagram& datagram, base::Time now) {
  const auto advertisement =
      decode(datagram, assignment_.instance, {.source = parameters_.source, .networks = interface_.networks});
  if (!advertisement) {
    reject(advertisement.error(), now);
    return false;
  }
  ++report_.adverts_received;
  judge_peer(*advertisement, now);
  handle(event::Received{advertisement->priority, advertisement->source, advertisement->interval}, now);
  return true;
}

void Instance::announced(const base::Ip& ip, base::Time now) {
  if (!wants_announcements()) return;
  announced_.insert(ip);
  const auto all = assignment_.instance.all_addresses();
  if (std::ranges::all_of(all, [this](const auto& a) { return announced_.contains(a.ip); })) {
    handle(event::Announced{}, now);
  }
}

void Instance::thawed(base::Time now) {
  handle(event::Thawed{}, now);
}

void Instance::every_second(base::Time now) {
  if (machine_.in_possession) add_routes(/*restoring=*/true);  // the kernel says nothing of those that it takes off
  for (const ipc::VrrpProblem& over : problems_.expire(now)) {
    log::info("{}: no more of it: {}", assignment_.instance.name, over.text);
  }
}

void Instance::timer(base::Time now) {
  handle(event::Timer{}, now);
}

void Instance::restore_addresses(base::Time now) {
  if (last_restored_ && now - *last_restored_ < kRestoreAtMost) {
    some_missing_ = true;
    return;
  }
  last_restored_ = now;
  some_missing_ = false;
  const model::VrrpInstance& config = assignment_.instance;
  if (config.address_lost == model::AddressLost::fault) {
    handle(event::Fault{.why = "a virtual address was taken off by someone else", .can_send = true}, now);
    return evaluate(now);
  }
  for (const model::VirtualAddress& address : assignment_.instance.all_addresses()) {
    if (!add(address)) continue;
    log::warning("{}: {} was missing on {} while we are MASTER; put back", assignment_.instance.name, address.ip.str(),
                 place_of(assignment_.instance, address));
    announce(address, config.announcements.repeat);
  }
  add_routes(/*restoring=*/true);  // the kernel took them off with an address
}

void Instance::announce_again() {
  if (machine_.in_possession) announce(assignment_.instance.announcements.repeat);
}

std::vector<base::Ip> Instance::addresses_for_lo() const {
  if (machine_.in_possession || machine_.state == VrrpState::init) return {};
  return assignment_.served_here;
}

void Instance::restore_on_lo(const base::Ip& ip) {
  if (add_to_lo(ip))
    log::info("{}: {} put on lo: this director is its real server, too", assignment_.instance.name, ip.str());
}

void Instance::hand_over(bool stop, base::Time now) {
  handle(event::HandOver{.stop = stop}, now);
}

void Instance::resume(base::Time now) {
  handle(event::Resume{}, now);
}

void Instance::stop(base::Time now) {
  handle(event::Shutdown{}, now);
}

// --- reload

bool Instance::is_same_as(const ipc::VrrpAssignment& other) const {
  const model::VrrpInstance &a = assignment_.instance, &b = other.instance;
  return a.name == b.name && a.interface == b.interface && a.virtual_router_id == b.virtual_router_id &&
         a.version == b.version && a.is_v6() == b.is_v6() && a.use_vmac == b.use_vmac && hears_on(a) == hears_on(b);
}

void Instance::withdraw(const ipc::VrrpAssignment& next) {
  const auto mine = assignment_.instance.all_addresses(), wanted = next.instance.all_addresses();
  for (size_t i = 0; i < mine.size(); ++i) {
    if (has_alike(next.instance, assignment_.instance, mine[i])) continue;
    if (machine_.in_possession) remove(mine[i]);
    if (!contains(wanted, mine[i].ip)) leases_.end(assignment_.lease[i]);
  }
  if (machine_.in_possession) remove_routes(next.instance.virtual_routes);
}

void Instance::reconfigure(ipc::VrrpAssignment next, base::Time now) {
  const model::VrrpInstance old = std::exchange(assignment_, std::move(next)).instance;
  const model::VrrpInstance& config = assignment_.instance;
  const auto addresses = config.all_addresses();
  for (size_t i = 0; machine_.in_possession && i < addresses.size(); ++i) {
    const model::VirtualAddress& address = addresses[i];
    leases_.set(assignment_.lease[i], machine_.lease_until);
    if (has_alike(old, config, address)) continue;
    log::info("{}: taking {} on {} as well", config.name, address.ip.str(), place_of(config, address));
    add(address);
    announce(address, config.announcements.repeat);
  }
  if (machine_.in_possession) add_routes(/*restoring=*/true);
  if (!looked_at_) return;
  evaluate(now);
  if (old.advert_int != config.advert_int) handle(event::IntervalChanged{}, now);
}

// --- what it does

void Instance::handle(const Event& first, base::Time now) {
  for (std::deque<Event> events{first}; !events.empty(); events.pop_front()) {
    const VrrpState before = machine_.state;
    Step next = step(machine_, parameters_, events.front(), now);
    if (!machine_.leaves_addresses()) announced_.clear();
    machine_ = std::move(next.machine);
    if (machine_.state != before) {
      report_.since_unix = base::unix_seconds();
      became_ = now;
    }
    for (const Action& action : next.actions) {
      if (auto event = carry_out(action, now)) events.push_back(*std::move(event));
    }
    if (machine_.state != before) log_transition(before);
  }
}

void Instance::log_transition(VrrpState from) const {
  const model::VrrpInstance& config = assignment_.instance;
  std::string consequence;
  if (machine_.state == VrrpState::master) consequence = "; taking " + addresses_text();
  if (from == VrrpState::master) consequence = "; released " + addresses_text();
  const std::string line = fmt::format("{}: {} → {}: {}{}", config.name, ipc::name(from), ipc::name(machine_.state),
                                       machine_.reason, consequence);
  log::write(machine_.state == VrrpState::fault ? log::Level::warning : log::Level::info, line);
}

std::optional<Event> Instance::carry_out(const Action& action, base::Time now) {
  struct Visitor {
    Instance& self;
    base::Time now;
    std::optional<Event> operator()(const action::SendAdvertisement& a) const {
      return event::Sent{.ok = self.send(a.priority)};
    }
    std::optional<Event> operator()(const action::RenewLease& a) const {
      for (const uint32_t index : self.assignment_.lease) self.leases_.set(index, a.until);
      if (self.some_missing_) self.restore_addresses(now);
      if (self.announcing_failed_ && self.machine_.in_possession) {
        self.announce(self.assignment_.instance.announcements.repeat);
      }
      return {};
    }
    std::optional<Event> operator()(const action::EndLease&) const {
      for (const uint32_t index : self.assignment_.lease) self.leases_.end(index);
      return {};
    }
    std::optional<Event> operator()(const action::AddAddresses&) const {
      self.add_addresses();
      return {};
    }
    std::optional<Event> operator()(const action::RemoveAddresses&) const {
      self.remove_routes();
      for (const auto& address : self.assignment_.instance.all_addresses()) self.release(address);
      self.some_missing_ = false;
      return {};
    }
    std::optional<Event> operator()(const action::Announce& a) const {
      self.announce(a.times);
      return {};
    }
  };
  return std::visit(Visitor{*this, now}, action);
}

bool Instance::send(uint8_t priority) {
  const model::VrrpInstance& config = assignment_.instance;
  const auto sent = send_to_all(priority);
  if (!sent) {
    ++report_.send_errors;
    if (failed_in_a_row_++ == 0) log::error("{}: {}; trying again", config.name, sent.error().message);
    return false;
  }
  ++report_.adverts_sent;
  if (failed_in_a_row_ > 0) log::info("{}: advertisements go out again ({} failed)", config.name, failed_in_a_row_);
  failed_in_a_row_ = 0;
  return true;
}

// One of several unicast peers that cannot be reached must not cost us what the others still hear.
base::Result<> Instance::send_to_all(uint8_t priority) {
  const model::VrrpInstance& config = assignment_.instance;
  base::Result<> result;
  bool any = false;
  for (const base::Ip& destination : destinations(config)) {
    const std::vector<uint8_t> message = encode(config, priority, parameters_.source, destination);
    const auto sent = port_.send(
        sends_on(config),
        {.source = parameters_.source, .destination = destination, .hop_limit = hop_limit(config), .message = message});
    any = any || sent;
    if (!sent) result = sent;
  }
  return any ? base::Result<>() : result;
}

void Instance::add_addresses() {
  some_missing_ = false;
  for (const auto& address : assignment_.instance.all_addresses()) add(address);
  add_routes(/*restoring=*/false);
}

void Instance::add_routes(bool restoring) {
  const model::VrrpInstance& config = assignment_.instance;
  for (const model::VirtualRoute& route : config.virtual_routes) {
    const auto added = port_.add_route(route);
    if (!added && (!restoring || failed_routes_.insert(text(route)).second)) {
      log::error("{}: {}; trying again every second", config.name, added.error().message);
    }
    if (!added) continue;
    failed_routes_.erase(text(route));
    if (restoring && *added == netlink::Added::now) log::info("{}: route to {} put back", config.name, text(route));
    if (!restoring && *added == netlink::Added::before) {
      log::warning("{}: there is a route to {} already, which stays as it is", config.name, text(route));
    }
  }
}

void Instance::remove_routes(const std::vector<model::VirtualRoute>& but) {
  for (const model::VirtualRoute& route : assignment_.instance.virtual_routes) {
    if (std::ranges::find(but, route) != but.end()) continue;
    const auto removed = port_.remove_route(route);
    if (!removed) log::error("{}: {}", assignment_.instance.name, removed.error().message);
  }
}

bool Instance::add(const model::VirtualAddress& address) {
  const auto added = port_.add(place_of(assignment_.instance, address), address);
  if (added) {
    if (is_served_here(address.ip)) remove_from_lo(address.ip);
    return *added == netlink::Added::now;
  }
  some_missing_ = true;
  log::error("{}: {}; trying again with the next advertisement", assignment_.instance.name, added.error().message);
  return false;
}

void Instance::remove(const model::VirtualAddress& address) {
  const auto removed = port_.remove(place_of(assignment_.instance, address), address);
  if (!removed) log::error("{}: {}", assignment_.instance.name, removed.error().message);
}

// At no moment is an address that is served here on neither of the two: the kernel would reset its connections.
void Instance::release(const model::VirtualAddress& address) {
  if (is_served_here(address.ip)) add_to_lo(address.ip);
  remove(address);
}

bool Instance::is_served_here(const base::Ip& ip) const {
  return std::ranges::find(assignment_.served_here, ip) != assignment_.served_here.end();
}

bool Instance::add_to_lo(const base::Ip& ip) {
  const auto added = port_.add_to_lo(ip);
  if (!added) log::error("{}: {}", assignment_.instance.name, added.error().message);
  return added && *added == netlink::Added::now;
}

void Instance::remove_from_lo(const base::Ip& ip) {
  const auto removed = port_.remove_from_lo(ip);
  if (!removed) log::error("{}: {}", assignment_.instance.name, removed.error().message);
}

void Instance::announce(int times) {
  announcing_failed_ = false;
  for (const auto& address : assignment_.instance.all_addresses()) announce(address, times);
}

void Instance::announce(const model::VirtualAddress& address, int times) {
  const model::VrrpInstance& config = assignment_.instance;
  const base::Duration gap = address.ip.is_v6() ? config.announcements.nd_interval : config.announcements.arp_interval;
  const auto announced = port_.announce(place_of(config, address), address, times, gap);
  if (announced) return;
  if (!std::exchange(announcing_failed_, true)) {
    log::warning("{}: {}; again with the next advertisement", config.name, announced.error().message);
  }
}

// --- what it hears

void Instance::reject(const Rejection& rejection, base::Time now) {
  ++report_.adverts_rejected;
  last_rejection_ = rejection;
  problem(kind_of(rejection.reason), rejection.source,
          fmt::format("rejected an advertisement from {}: {}", rejection.source.str(), rejection.str()), now);
}

// What is odd about one whose advertisements are heard.
void Instance::judge_peer(const Advertisement& a, base::Time now) {
  const std::vector<base::Ip> mine = ips(assignment_.instance.virtual_addresses);
  const bool any_common =
      std::ranges::any_of(a.addresses, [&](const base::Ip& ip) { return std::ranges::find(mine, ip) != mine.end(); });
  const std::string peer = a.source.str();
  if (!any_common) {
    problem("other_router", a.source,
            fmt::format("{} uses virtual router id {} for {}, none of which is ours: give one of the two another id",
                        peer, a.virtual_router_id, list(a.addresses)),
            now);
  } else if (!std::ranges::is_permutation(mine, a.addresses)) {
    problem("addresses", a.source,
            fmt::format("{} advertises {}; ours are {}. Heard all the same, but both should be configured alike", peer,
                        list(a.addresses), list(mine)),
            now);
  }
  if (parameters_.version == 3 && a.interval > parameters_.longest_interval) {
    problem("interval", a.source,
            fmt::format("{} advertises every {:g} s; it is taken for dead as if that were {:g} s", peer,
                        base::seconds(a.interval), base::seconds(parameters_.longest_interval)),
            now);
  }
  if (a.priority == kOwner && parameters_.priority == kOwner) {
    problem("two_owners", a.source, fmt::format("{} has priority 255 as well: only one can own the addresses", peer),
            now);
  }
  if (stays_master_beside(a, now)) {
    problem("two_masters", a.source, fmt::format("{} is MASTER as well, with priority {}", peer, a.priority), now);
  }
}

// While two change places each hears the other once or twice: that is no split brain.
bool Instance::stays_master_beside(const Advertisement& a, base::Time now) const {
  const base::Duration changing = kChangingPlaces + parameters_.advertisement_interval;
  return machine_.state == VrrpState::master && machine_.handover == Handover::none && a.priority != kResign &&
         a.priority <= parameters_.priority && now - became_ > changing;
}

void Instance::problem(std::string_view kind, const base::Ip& peer, const std::string& text, base::Time now) {
  const base::Duration lasts = std::max<base::Duration>(kProblemLasts, 4 * parameters_.advertisement_interval);
  if (problems_.seen(kind, peer, text, now, lasts)) log::warning("{}: {}", assignment_.instance.name, text);
}

// --- what it tells

std::string Instance::addresses_text() const {
  return list(ips(assignment_.instance.all_addresses())) + " on " + assignment_.instance.interface;
}

ipc::VrrpReport Instance::report() const {
  ipc::VrrpReport report = report_;
  report.instance = assignment_.instance.name;
  report.state = machine_.state;
  report.reason = machine_.reason;
  if (!started_ && !tracking_.waiting_for.empty()) report.reason = "waiting for " + tracking_.waiting_for;
  report.priority = parameters_.priority;
  report.master = machine_.master;
  report.released = machine_.released;
  report.problems = problems_.list();
  if (last_rejection_) {
    report.last_rejected = fmt::format("{} (from {})", last_rejection_->str(), last_rejection_->source.str());
  }
  return report;
}

}  // namespace vrrp
