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

constexpr base::Duration kRestoreAtMost = std::chrono::seconds(1);  // someone may be taking them away again and again

Parameters to_parameters(const model::VrrpInstance& instance, const std::optional<base::Ip>& primary_address) {
  Parameters p{.priority = instance.priority,
               .advertisement_interval = instance.advert_int,
               .preempt = !instance.nopreempt,
               .source = instance.source};
  if (p.source == base::Ip() && primary_address) p.source = *primary_address;
  return p;
}

std::string list(const std::vector<base::Ip>& addresses) {
  std::string text;
  for (const base::Ip& ip : addresses) text += (text.empty() ? "" : ", ") + ip.str();
  return text;
}

std::vector<base::Ip> ips(const std::vector<model::VirtualAddress>& addresses) {
  std::vector<base::Ip> all;
  for (const model::VirtualAddress& address : addresses) all.push_back(address.ip);
  return all;
}

bool contains(const std::vector<model::VirtualAddress>& addresses, const base::Ip& ip) {
  return std::ranges::find(addresses, ip, &model::VirtualAddress::ip) != addresses.end();
}

// With the same prefix and so on, and in the same place.
bool has_alike(const model::VrrpInstance& other, const model::VrrpInstance& instance,
               const model::VirtualAddress& address) {
  return std::ranges::any_of(other.all_addresses(), [&](const model::VirtualAddress& a) {
    return a == address && place_of(other, a) == place_of(instance, address);
  });
}

}  // namespace

Instance::Instance(ipc::VrrpAssignment assignment, Port& port, Leases& leases)
    : assignment_(std::move(assignment)),
      port_(port),
      leases_(leases),
      parameters_(to_parameters(assignment_.instance, std::nullopt)) {
  report_.since_unix = base::unix_seconds();
}

// --- what happens to it

void Instance::interface_is(const std::string& problem, const std::optional<base::Ip>& primary_address,
                            base::Time now) {
  interface_problem_ = problem;
  primary_address_ = primary_address;
  const model::VrrpInstance& config = assignment_.instance;
  parameters_ = to_parameters(config, primary_address);
  std::string why = problem;
  if (why.empty() && parameters_.source == base::Ip()) {
    why = config.interface + " has no IPv4 address to send from; give it one, or set mcast_src_ip";
  }
  if (!why.empty()) {
    if (machine_.state != VrrpState::fault || machine_.reason != why) handle(event::InterfaceDown{why}, now);
  } else if (machine_.state == VrrpState::init) {
    const bool lease_runs = std::ranges::any_of(assignment_.lease, [&](auto i) { return leases_.until(i) > now; });
    handle(event::Startup{.resume = lease_runs}, now);
  } else if (machine_.state == VrrpState::fault) {
    handle(event::InterfaceUp{}, now);
  }
}

bool Instance::received(const Datagram& datagram, base::Time now) {
  const auto advertisement = decode(datagram, assignment_.instance, {.source = parameters_.source});
  if (!advertisement) {
    reject(advertisement.error(), now);
    return false;
  }
  ++report_.adverts_received;
  compare_addresses(*advertisement, now);
  handle(event::Received{advertisement->priority, advertisement->source}, now);
  return true;
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
  for (const model::VirtualAddress& address : assignment_.instance.all_addresses()) {
    if (!add(address)) continue;
    log::warning("{}: {} was missing on {} while we are MASTER; put back", assignment_.instance.name, address.ip.str(),
                 place_of(assignment_.instance, address));
    announce(address);
  }
}

void Instance::announce_again() {
  if (machine_.in_possession) announce();
}

std::vector<base::Ip> Instance::addresses_for_lo() const {
  if (machine_.in_possession || machine_.state == VrrpState::init) return {};
  return assignment_.served_here;
}

void Instance::restore_on_lo(const base::Ip& ip) {
  if (add_to_lo(ip))
    log::info("{}: {} put on lo: this director is its real server, too", assignment_.instance.name, ip.str());
}

void Instance::stop(base::Time now) {
  handle(event::Shutdown{}, now);
}

// --- reload

bool Instance::is_same_as(const ipc::VrrpAssignment& other) const {
  const model::VrrpInstance &a = assignment_.instance, &b = other.instance;
  return a.name == b.name && a.interface == b.interface && a.virtual_router_id == b.virtual_router_id;
}

void Instance::withdraw(const ipc::VrrpAssignment& next) {
  const auto mine = assignment_.instance.all_addresses(), wanted = next.instance.all_addresses();
  for (size_t i = 0; i < mine.size(); ++i) {
    if (has_alike(next.instance, assignment_.instance, mine[i])) continue;
    if (machine_.in_possession) remove(mine[i]);
    if (!contains(wanted, mine[i].ip)) leases_.end(assignment_.lease[i]);
  }
}

void Instance::reconfigure(ipc::VrrpAssignment next, base::Time now) {
  const model::VrrpInstance old = std::exchange(assignment_, std::move(next)).instance;
  const model::VrrpInstance& config = assignment_.instance;
  if (old.priority != config.priority) log::info("{}: priority {} → {}", config.name, old.priority, config.priority);
  const auto addresses = config.all_addresses();
  for (size_t i = 0; machine_.in_possession && i < addresses.size(); ++i) {
    const model::VirtualAddress& address = addresses[i];
    leases_.set(assignment_.lease[i], machine_.lease_until);
    if (has_alike(old, config, address)) continue;
    log::info("{}: taking {} on {} as well", config.name, address.ip.str(), place_of(config, address));
    add(address);
    announce(address);
  }
  if (machine_.state == VrrpState::init) return;  // not started yet: the interface has not been looked at
  interface_is(interface_problem_, primary_address_, now);
  if (old.advert_int != config.advert_int) handle(event::IntervalChanged{}, now);
}

// --- what it does

void Instance::handle(const Event& first, base::Time now) {
  for (std::deque<Event> events{first}; !events.empty(); events.pop_front()) {
    const VrrpState before = machine_.state;
    Step next = step(machine_, parameters_, events.front(), now);
    machine_ = std::move(next.machine);
    if (machine_.state != before) report_.since_unix = base::unix_seconds();
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
      for (const auto& address : self.assignment_.instance.all_addresses()) self.release(address);
      self.some_missing_ = false;
      return {};
    }
    std::optional<Event> operator()(const action::Announce&) const {
      self.announce();
      return {};
    }
  };
  return std::visit(Visitor{*this, now}, action);
}

bool Instance::send(uint8_t priority) {
  const model::VrrpInstance& config = assignment_.instance;
  base::Result<> sent;
  for (const base::Ip& destination : destinations(config)) {
    const std::vector<uint8_t> message = encode(config, priority, parameters_.source, destination);
    const auto one = port_.send(
        config.interface,
        {.source = parameters_.source, .destination = destination, .hop_limit = hop_limit(config), .message = message});
    if (!one) sent = one;
  }
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

void Instance::add_addresses() {
  some_missing_ = false;
  for (const auto& address : assignment_.instance.all_addresses()) add(address);
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

void Instance::announce() {
  for (const auto& address : assignment_.instance.all_addresses()) announce(address);
}

void Instance::announce(const model::VirtualAddress& address) {
  const model::VrrpInstance& config = assignment_.instance;
  const auto announced = port_.announce(place_of(config, address), address, config.announcements.repeat);
  if (!announced) log::warning("{}: {}", config.name, announced.error().message);
}

// --- what it hears

void Instance::reject(const Rejection& rejection, base::Time now) {
  ++report_.adverts_rejected;
  last_rejection_ = rejection;
  const uint64_t subject = static_cast<uint64_t>(rejection.reason) << 32 ^ std::hash<base::Ip>()(rejection.source);
  if (!log_limit_.allows(subject, now)) return;
  log::warning("{}: rejected an advertisement from {}: {}", assignment_.instance.name, rejection.source.str(),
               rejection.str());
}

void Instance::compare_addresses(const Advertisement& advertisement, base::Time now) {
  const std::vector<base::Ip> mine = ips(assignment_.instance.virtual_addresses);
  if (std::ranges::is_permutation(mine, advertisement.addresses)) return;
  constexpr uint64_t kOtherAddresses = ~0u;  // beyond every Reason
  if (!log_limit_.allows(kOtherAddresses << 32 ^ std::hash<base::Ip>()(advertisement.source), now)) return;
  log::warning("{}: {} advertises {}; ours are {}. Heard all the same, but both should be configured alike",
               assignment_.instance.name, advertisement.source.str(), list(advertisement.addresses), list(mine));
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
  report.priority = assignment_.instance.priority;
  report.master = machine_.master;
  if (last_rejection_) {
    report.last_rejected = fmt::format("{} (from {})", last_rejection_->str(), last_rejection_->source.str());
  }
  return report;
}

}  // namespace vrrp
