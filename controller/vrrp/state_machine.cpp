// SPDX-License-Identifier: Apache-2.0
//
//  state   event                          becomes  what is done
//  ------  -----------------------------  -------  ----------------------------------------------------------------
//  INIT    Startup, priority 255          MASTER   as "timer" in BACKUP
//          Startup, own lease runs        MASTER   the same, announced once
//          Startup                        BACKUP   leftovers away, Master_Down_Timer = Master_Down_Interval
//          before start_at                         leftovers away; the rest then
//  BACKUP  Master_Down_Timer              MASTER   advertise; once that is sent: lease, addresses, announce;
//                                                  Adver_Timer = Advertisement_Interval; announce again after a delay,
//                                                  and then every so often
//          priority 0                              Master_Down_Timer = Skew_Time
//          priority >= ours, or no preempt         learn the interval, Master_Down_Timer = Master_Down_Interval
//          lower priority                          the same until preempt_delay is over; then nothing: the timer runs
//          on HandOver                                released: no preempt from now on (stop: INIT) Resume preempt
//          again GroupMaster                    MASTER   as "timer"
//  MASTER  Adver_Timer                             advertise, Adver_Timer = Advertisement_Interval
//          priority 0                              advertise, Adver_Timer = Advertisement_Interval
//          higher, or equal and higher    BACKUP   advertise a last time (so that the winner announces itself), lease
//          ends,
//            address                               learn the interval, Master_Down_Timer; addresses away when
//            Announced,
//                                                  or after 300 ms: until then clients still send here
//          lesser                                  advertise and announce, at most every 50 ms and 1 s
//          Thawed                                  advertise; announce if that was not done just now
//          advertisement sent                      lease = then + 3 × Advertisement_Interval
//          advertisement not sent                  try again in 100 ms
//          the same, lease over           BACKUP   addresses away, lease ends, Master_Down_Timer
//          GroupBackup                    BACKUP   priority 0, addresses away, lease ends, Master_Down_Timer
//          HandOver                                priority 0, and no further advertisement; addresses and lease stay
//   handing over:
//          priority > 0                            the lease ends; the addresses stay for 300 ms
//          the same, and Announced,       BACKUP   addresses away, Master_Down_Timer (stop: INIT)
//            or 300 ms over
//          no such thing for the longest  BACKUP   the same, lease ends
//            Skew_Time + 300 ms
//  FAULT   FaultOver                      BACKUP   as Startup
//  any     Fault                          FAULT    if MASTER and others can be told: priority 0; addresses away, lease
//                                                  ends, no timer
//          Shutdown                       INIT     if MASTER: priority 0, addresses away, lease ends
//
//  Not in the table: nothing happens. In FAULT and INIT nothing that is received has an effect, except that in INIT a
//  better MASTER is noted: then there is nothing to resume.
#include "vrrp/state_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using base::Time;

constexpr base::Duration kAnnounceAtMost = 1s;    // every so often, on hearing a lesser MASTER
constexpr base::Duration kReassertAtMost = 50ms;  // the same for advertisements: one packet must not make many
constexpr base::Duration kSendRetry = 100ms;
constexpr int kLeaseAdverts = 3;  // peers count as many, or fewer where we are told so

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
    release();
    enter("started");
  }

  void on(const event::FaultOver&) {
    if (m_.state == VrrpState::fault) enter("the fault is over");
  }

  void on(const event::Timer&) {
    if (due(m_.start_timer)) return enter("started");
    if (due(m_.vacate_timer)) vacate_as_backup();
    if (due(m_.master_down_timer)) return become_master(why_master_down());
    if (due(m_.handover_timer)) return vacate();
    if (due(m_.announce_timer)) announce_on_time();
    if (due(m_.adver_timer)) advertise();
  }

  void on(const event::Received& e) {
    if (m_.state == VrrpState::init) m_.superior_heard = m_.superior_heard || beats_us(e);
    if (m_.state == VrrpState::backup) backup_received(e);
    if (m_.state != VrrpState::master) return;
    if (m_.handover == Handover::none) {
      master_received(e);
    } else {
      leaving_received(e);
    }
  }

  void backup_received(const event::Received& e) {
    m_.master = e.source;
    if (e.priority == kResign) {
      m_.resigned = true;
      m_.master_down_timer = now_ + skew_time(p_, master_interval());
    } else if (e.priority >= p_.priority || !preempts() || lets_be()) {
      if (e.priority >= p_.priority) m_.let_be_until.reset();
      learn(e);
      await_master();
    } else {
      m_.outranked = e;
    }
  }

  void master_received(const event::Received& e) {
    if (beats_us(e)) {
      if (p_.farewell) act(action::SendAdvertisement{p_.priority});
      act(action::EndLease{});
      const bool here = m_.in_possession;
      become_backup(fmt::format("priority {} from {}", e.priority, e.source.str()));
      if (here) m_.vacate_timer = now_ + model::kVacateAfter;
      m_.master = e.source;
      learn(e);
      await_master();
      return;
    }
    if (m_.last_reasserted && now_ - *m_.last_reasserted < kReassertAtMost) return;
    m_.last_reasserted = now_;
    act(action::SendAdvertisement{p_.priority});
    if (e.priority == kResign) {
      m_.adver_timer = now_ + p_.advertisement_interval;
    } else if (!announced_just_now()) {
      m_.announce_when_leased = p_.announcements.lower_priority_repeat;
    }
  }

  void leaving_received(const event::Received& e) {
    if (e.priority == kResign || m_.handover == Handover::yielded) return;
    m_.handover = Handover::yielded;
    m_.master = e.source;
    learn(e);
    act(action::EndLease{});
    if (m_.others_announced) return vacate();
    m_.handover_timer = now_ + model::kVacateAfter;
  }

  void on(const event::Announced&) {
    if (m_.vacate_timer) return vacate_as_backup();
    if (m_.handover == Handover::none) return;
    m_.others_announced = true;
    if (m_.handover == Handover::yielded) vacate();
  }

  void on(const event::HandOver& e) {
    m_.stopping = m_.stopping || e.stop;
    m_.released = m_.released || !e.stop;
    if (m_.state == VrrpState::master && m_.in_possession) return offer();
    if (m_.state == VrrpState::master) {
      release();
      become_backup("released");
    }
    if (!e.stop) return;
    if (m_.vacate_timer) vacate_as_backup();
    leave_for(VrrpState::init, "stopped");
  }

  void on(const event::Resume&) { m_.released = false; }

  void on(const event::Thawed&) {
    if (m_.state != VrrpState::master || m_.handover != Handover::none) return;
    if (!announced_just_now()) m_.announce_when_leased = p_.announcements.repeat;
    advertise();
  }

  void on(const event::GroupMaster& e) {
    if (m_.state == VrrpState::backup) become_master(e.why);
  }

  void on(const event::GroupBackup& e) {
    if (m_.state != VrrpState::master || m_.handover != Handover::none) return;
    act(action::SendAdvertisement{kResign});
    release();
    become_backup(e.why);
  }

  void on(const event::Sent& e) {
    if (m_.state != VrrpState::master || m_.handover != Handover::none) return;  // a farewell
    if (e.ok) {
      m_.lease_until = now_ + lease_time(p_);
      act(action::RenewLease{m_.lease_until});
      const int times = std::exchange(m_.announce_when_leased, 0);
      if (!m_.in_possession) {
        take_possession();
      } else if (times > 0) {
        announce(times);
      }
    } else if (now_ >= m_.lease_until) {
      release();
      become_backup(fmt::format("no advertisement could be sent for {:.1f} s", base::seconds(lease_time(p_))));
    } else {
      m_.adver_timer = now_ + std::min<base::Duration>(kSendRetry, p_.advertisement_interval);
    }
  }

  void on(const event::Fault& e) {
    if (m_.state == VrrpState::master && e.can_send) act(action::SendAdvertisement{kResign});
    if (m_.state != VrrpState::fault) release();
    leave_for(m_.stopping ? VrrpState::init : VrrpState::fault, e.why);
  }

  void on(const event::IntervalChanged&) {
    if (m_.state == VrrpState::master && m_.handover == Handover::none) advertise();
    if (m_.state == VrrpState::backup) await_master();
  }

  void on(const event::Shutdown&) {
    if (m_.state == VrrpState::master) {
      act(action::SendAdvertisement{kResign});
      release();
    } else if (m_.vacate_timer) {
      vacate_as_backup();
    }
    leave_for(VrrpState::init, "stopped");
  }

  // --- entering states

  void enter(std::string why) {
    if (now_ < p_.start_at) {
      leave_for(VrrpState::init, "waiting as vrrp_startup_delay says");
      m_.start_timer = p_.start_at;
    } else if (p_.priority == kOwner && !m_.released) {
      become_master("priority 255 owns the addresses");
    } else {
      become_backup(std::move(why));
    }
  }

  void become_backup(std::string why) {
    leave_for(VrrpState::backup, std::move(why));
    await_master();
  }

  void become_master(std::string why) {
    leave_for(VrrpState::master, std::move(why));
    m_.master = p_.source;
    m_.lease_until = now_ + lease_time(p_);
    advertise();
  }

  // Forgets everything that belongs to the state that is left.
  void leave_for(VrrpState state, std::string why) {
    m_ = Machine{.state = state, .reason = std::move(why), .master = {}, .released = m_.released};
  }

  void await_master() {
    m_.silent_since = now_;
    m_.resigned = false;
    m_.outranked.reset();
    m_.master_down_timer = now_ + master_down_interval(p_, master_interval());
  }

  // Lease before address.
  void take_possession() {
    m_.in_possession = true;
    act(action::AddAddresses{});
    announce(p_.announcements.repeat);
    if (!m_.resumed && p_.announcements.delay > 0s) m_.announce_timer = now_ + p_.announcements.delay;
  }

  // Address before lease.
  void release() {
    act(action::RemoveAddresses{});
    act(action::EndLease{});
  }

  // --- the planned handover

  // Until another one is heard nothing changes for clients: the lease outlives the wait.
  void offer() {
    if (m_.handover != Handover::none) return;
    act(action::SendAdvertisement{kResign});
    m_.handover = Handover::offered;
    m_.handover_timer = now_ + model::handover_wait(p_.version, p_.advertisement_interval);
    m_.adver_timer.reset();
    m_.announce_timer.reset();
    if (m_.lease_until >= *m_.handover_timer) return;
    m_.lease_until = *m_.handover_timer;
    act(action::RenewLease{m_.lease_until});
  }

  void vacate() {
    const bool stopping = m_.stopping, taken = m_.handover == Handover::yielded;
    const base::Ip successor = m_.master;
    const base::Duration interval = m_.master_interval;
    release();
    const std::string why = taken ? "handed over to " + successor.str() : "released; no other router took over";
    if (stopping) return leave_for(VrrpState::init, why);
    become_backup(why);
    if (!taken) return;
    m_.master = successor;
    m_.master_interval = interval;
    await_master();
  }

  void vacate_as_backup() {
    m_.vacate_timer.reset();
    act(action::RemoveAddresses{});
  }

  // --- doing

  void advertise() {
    act(action::SendAdvertisement{p_.priority});
    m_.adver_timer = now_ + p_.advertisement_interval;
  }

  void announce(int times) {
    act(action::Announce{times});
    m_.last_announced = now_;
    set_refresh();
  }

  void announce_on_time() {
    const bool second = !m_.last_announced || now_ - *m_.last_announced <= p_.announcements.delay;
    m_.announce_timer.reset();
    announce(second ? p_.announcements.repeat : p_.announcements.refresh_repeat);
  }

  void set_refresh() {
    if (p_.announcements.refresh > 0s && !m_.announce_timer) m_.announce_timer = now_ + p_.announcements.refresh;
  }

  void learn(const event::Received& e) {
    if (p_.version == 3) m_.master_interval = std::min(e.interval, p_.longest_interval);
  }

  // --- questions

  bool beats_us(const event::Received& e) const {
    return e.priority > p_.priority || (e.priority == p_.priority && e.source > p_.source);
  }

  bool preempts() const { return (p_.preempt || p_.priority == kOwner) && !m_.released; }

  // A lesser MASTER within the time that it is given.
  bool lets_be() {
    if (p_.preempt_delay == 0s || p_.priority == kOwner) return false;
    if (!m_.let_be_until) m_.let_be_until = now_ + p_.preempt_delay;
    return now_ < *m_.let_be_until;
  }

  base::Duration master_interval() const {
    return m_.master_interval > 0s ? m_.master_interval : p_.advertisement_interval;
  }

  bool announced_just_now() const { return m_.last_announced && now_ - *m_.last_announced < kAnnounceAtMost; }

  bool due(const std::optional<Time>& deadline) const { return deadline && now_ >= *deadline; }

  std::string why_master_down() const {
    if (m_.resigned) return m_.master.str() + " resigned";
    if (m_.outranked) {
      return fmt::format("{} has only priority {}", m_.outranked->source.str(), m_.outranked->priority);
    }
    const double silence = base::seconds(now_ - m_.silent_since);
    return fmt::format(fmt::runtime(silence < 1 ? "no advertisement for {:.3f} s" : "no advertisement for {:.1f} s"),
                       silence);
  }

  void act(Action action) { actions_.push_back(action); }

  Machine m_;
  const Parameters& p_;
  const Time now_;
  std::vector<Action> actions_;
};

}  // namespace

base::Duration skew_time(const Parameters& parameters, base::Duration master_interval) {
  const base::Duration unit = parameters.version == 3 ? master_interval : base::Duration(1s);
  return unit * (256 - parameters.priority) / 256;
}

base::Duration master_down_interval(const Parameters& parameters, base::Duration master_interval) {
  return parameters.down_timer_adverts * master_interval + skew_time(parameters, master_interval);
}

base::Duration lease_time(const Parameters& parameters) {
  return std::min(kLeaseAdverts, parameters.down_timer_adverts) * parameters.advertisement_interval;
}

std::optional<Time> Machine::next_deadline() const {
  std::optional<Time> next;
  for (const auto& deadline :
       {start_timer, adver_timer, master_down_timer, announce_timer, handover_timer, vacate_timer}) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

Step step(const Machine& machine, const Parameters& parameters, const Event& event, Time now) {
  return Stepper(machine, parameters, now).take(event);
}

}  // namespace vrrp
