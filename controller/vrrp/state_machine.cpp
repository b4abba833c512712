// SPDX-License-Identifier: Apache-2.0
//
//  state   event                          becomes  what is done
//  ------  -----------------------------  -------  ----------------------------------------------------------------
//  INIT    Startup, priority 255          MASTER   as "timer" in BACKUP
//          Startup, own lease runs        MASTER   the same, announced once
//          Startup                        BACKUP   leftovers away, Master_Down_Timer = Master_Down_Interval
//  BACKUP  Master_Down_Timer              MASTER   advertise; once that is sent: lease, addresses, announce;
//                                                  Adver_Timer = Advertisement_Interval; announce again after 5 s
//          priority 0                              Master_Down_Timer = Skew_Time
//          priority >= ours, or no preempt         Master_Down_Timer = Master_Down_Interval
//          lower priority                          nothing: the timer runs on
//  MASTER  Adver_Timer                             advertise, Adver_Timer = Advertisement_Interval
//          priority 0                              advertise, Adver_Timer = Advertisement_Interval
//          higher, or equal and higher    BACKUP   advertise a last time (so that the winner announces itself),
//            address                               addresses away, lease ends, Master_Down_Timer
//          lesser                                  advertise and announce, at most every 50 ms and 1 s
//          advertisement sent                      lease = then + 3 × Advertisement_Interval
//          advertisement not sent                  try again in 100 ms
//          the same, lease over           BACKUP   addresses away, lease ends, Master_Down_Timer
//  FAULT   InterfaceUp                    BACKUP   as Startup
//  any     InterfaceDown                  FAULT    addresses away, lease ends, no timer
//          Shutdown                       INIT     if MASTER: priority 0, addresses away, lease ends
//
//  Not in the table: nothing happens. In FAULT and INIT nothing that is received has an effect, except that in INIT a
//  better MASTER is noted: then there is nothing to resume.
#include "vrrp/state_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using base::Time;

constexpr base::Duration kSecondAnnouncement = 5s;
constexpr base::Duration kAnnounceAtMost = 1s;    // every so often, on hearing a lesser MASTER
constexpr base::Duration kReassertAtMost = 50ms;  // the same for advertisements: one packet must not make many
constexpr base::Duration kSendRetry = 100ms;

class Stepper {
 public:
  Stepper(const Machine& machine, const Parameters& parameters, Time now) : m_(machine), p_(parameters), now_(now) {}

  Step take(const Event& event) {
    std::visit([this](const auto& e) { on(e); }, event);
    return {std::move(m_), std::move(actions_)};
  }

 private:
  void on(const event::Startup& e) {
    if (m_.state != VrrpState::init) return;
    if (e.resume && !m_.superior_heard) {
      become_master("the lease of an earlier process still runs");
      m_.resumed = true;
      return;
    }
    act(action::RemoveAddresses{});
    act(action::EndLease{});
    enter();
  }

  void on(const event::InterfaceUp&) {
    if (m_.state == VrrpState::fault) enter();
  }

  void on(const event::Timer&) {
    if (due(m_.master_down_timer)) return become_master(why_master_down());
    if (due(m_.announce_timer)) {
      m_.announce_timer.reset();
      announce();
    }
    if (due(m_.adver_timer)) advertise();
  }

  void on(const event::Received& e) {
    if (m_.state == VrrpState::init) m_.superior_heard = m_.superior_heard || beats_us(e);
    if (m_.state == VrrpState::backup) backup_received(e);
    if (m_.state == VrrpState::master) master_received(e);
  }

  void backup_received(const event::Received& e) {
    if (e.priority == kResign) {
      m_.resigned = true;
      m_.master = e.source;
      m_.master_down_timer = now_ + skew_time(p_.priority);
    } else if (e.priority >= p_.priority || !(p_.preempt || p_.priority == kOwner)) {
      m_.master = e.source;
      await_master();
    } else {
      m_.master = e.source;
      m_.outranked = e;
    }
  }

  void master_received(const event::Received& e) {
    if (beats_us(e)) {
      act(action::SendAdvertisement{p_.priority});
      release();
      become_backup(fmt::format("priority {} from {}", e.priority, e.source.str()));
      m_.master = e.source;
      return;
    }
    if (m_.last_reasserted && now_ - *m_.last_reasserted < kReassertAtMost) return;
    m_.last_reasserted = now_;
    act(action::SendAdvertisement{p_.priority});
    if (e.priority == kResign) {
      m_.adver_timer = now_ + p_.advertisement_interval;
    } else if (m_.in_possession && !(m_.last_announced && now_ - *m_.last_announced < kAnnounceAtMost)) {
      announce();
    }
  }

  void on(const event::Sent& e) {
    if (m_.state != VrrpState::master) return;  // a farewell
    if (e.ok) {
      m_.lease_until = now_ + 3 * p_.advertisement_interval;
      act(action::RenewLease{m_.lease_until});
      if (!m_.in_possession) take_possession();
    } else if (now_ >= m_.lease_until) {
      release();
      become_backup(
          fmt::format("no advertisement could be sent for {:.1f} s", base::seconds(3 * p_.advertisement_interval)));
    } else {
      m_.adver_timer = now_ + std::min<base::Duration>(kSendRetry, p_.advertisement_interval);
    }
  }

  void on(const event::InterfaceDown& e) {
    if (m_.state != VrrpState::fault) release();
    leave_for(VrrpState::fault, e.why);
  }

  void on(const event::IntervalChanged&) {
    if (m_.state == VrrpState::master) advertise();
    if (m_.state == VrrpState::backup) await_master();
  }

  void on(const event::Shutdown&) {
    if (m_.state == VrrpState::master) {
      act(action::SendAdvertisement{kResign});
      release();
    }
    leave_for(VrrpState::init, "stopped");
  }

  // --- entering states

  void enter() {
    if (p_.priority == kOwner) return become_master("priority 255 owns the addresses");
    become_backup(m_.state == VrrpState::fault ? "the interface is back" : "started");
  }

  void become_backup(std::string why) {
    leave_for(VrrpState::backup, std::move(why));
    await_master();
  }

  void become_master(std::string why) {
    leave_for(VrrpState::master, std::move(why));
    m_.master = p_.source;
    m_.lease_until = now_ + 3 * p_.advertisement_interval;
    advertise();
  }

  // Forgets everything that belongs to the state that is left.
  void leave_for(VrrpState state, std::string why) {
    m_ = Machine{};
    m_.state = state;
    m_.reason = std::move(why);
  }

  void await_master() {
    m_.silent_since = now_;
    m_.resigned = false;
    m_.outranked.reset();
    m_.master_down_timer = now_ + master_down_interval(p_);
  }

  // Lease before address.
  void take_possession() {
    m_.in_possession = true;
    act(action::AddAddresses{});
    announce();
    if (!m_.resumed) m_.announce_timer = now_ + kSecondAnnouncement;
  }

  // Address before lease.
  void release() {
    act(action::RemoveAddresses{});
    act(action::EndLease{});
  }

  void advertise() {
    act(action::SendAdvertisement{p_.priority});
    m_.adver_timer = now_ + p_.advertisement_interval;
  }

  void announce() {
    act(action::Announce{});
    m_.last_announced = now_;
  }

  // --- questions

  bool beats_us(const event::Received& e) const {
    return e.priority > p_.priority || (e.priority == p_.priority && e.source > p_.source);
  }

  bool due(const std::optional<Time>& deadline) const { return deadline && now_ >= *deadline; }

  std::string why_master_down() const {
    if (m_.resigned) return m_.master.str() + " resigned";
    if (m_.outranked) {
      return fmt::format("{} has only priority {}", m_.outranked->source.str(), m_.outranked->priority);
    }
    return fmt::format("no advertisement for {:.1f} s", base::seconds(now_ - m_.silent_since));
  }

  void act(Action action) { actions_.push_back(action); }

  Machine m_;
  const Parameters& p_;
  const Time now_;
  std::vector<Action> actions_;
};

}  // namespace

base::Duration skew_time(uint8_t priority) {
  return base::Duration(1s) * (256 - priority) / 256;
}

base::Duration master_down_interval(const Parameters& parameters) {
  return 3 * parameters.advertisement_interval + skew_time(parameters.priority);
}

std::optional<Time> Machine::next_deadline() const {
  std::optional<Time> next;
  for (const auto& deadline : {adver_timer, master_down_timer, announce_timer}) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

Step step(const Machine& machine, const Parameters& parameters, const Event& event, Time now) {
  return Stepper(machine, parameters, now).take(event);
}

}  // namespace vrrp
