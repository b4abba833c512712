// SPDX-License-Identifier: Apache-2.0
// Instance: one VRRP instance: carries out what its state machine says, counts, logs, reports.
// It has no clock and no loop of its own: the worker calls it with the time, again at the latest at deadline().
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipc/messages.hpp"
#include "vrrp/leases.hpp"
#include "vrrp/packet.hpp"
#include "vrrp/port.hpp"
#include "vrrp/problems.hpp"
#include "vrrp/state_machine.hpp"
#include "vrrp/tracking.hpp"

namespace vrrp {

class Instance {
 public:
  // `port` and `leases` must outlive the instance. `born`: when this process began, for vrrp_startup_delay. Nothing
  // happens before the first interface_is().
  Instance(ipc::VrrpAssignment assignment, Port& port, Leases& leases, base::Time born = {});

  void interface_is(InterfaceState state, base::Time now);
  void trackers_are(const std::vector<ipc::TrackerState>& states, base::Time now);
  bool received(const Datagram& datagram, base::Time now);  // false: rejected, nothing but counters changed
  void announced(const base::Ip& ip, base::Time now);       // by another host, while wants_announcements()
  void timer(base::Time now);
  std::optional<base::Time> deadline() const { return machine_.next_deadline(); }
  void thawed(base::Time now);  // after this process has not run for a while, and what had come in was given here
  void every_second(base::Time now);

  // Of the other members of its sync group; `fault` is empty while none has one of its own.
  void group_fault_is(const std::string& fault, base::Time now);
  void group_became(VrrpState state, const std::string& why, base::Time now);
  const std::string& own_fault() const { return own_fault_; }

  // Addresses that we should have are missing: puts them back, now or, if that was done just before, a little later.
  void restore_addresses(base::Time now);
  void announce_again();  // the interface has another MAC address: if MASTER, the network is to learn it
  bool should_have_addresses() const { return machine_.in_possession; }

  // Those that are served here, while they are not on the interface.
  std::vector<base::Ip> addresses_for_lo() const;
  void restore_on_lo(const base::Ip& ip);

  // A reload, in two steps, so that a lease index that passes from one address to another is ended before it is
  // renewed: first for all instances withdraw() what is no longer theirs, then for all reconfigure().
  // Name, interface, virtual router id, family and version are what the instance is; with others it is another one.
  void withdraw(const ipc::VrrpAssignment& next);
  void reconfigure(ipc::VrrpAssignment next, base::Time now);
  bool is_same_as(const ipc::VrrpAssignment& other) const;

  // Leaves without a gap: takes up to handover_time() + kVacateAfter. With `stop` it is INIT in the end.
  void hand_over(bool stop, base::Time now);
  bool wants_announcements() const { return machine_.leaves_addresses(); }
  void resume(base::Time now);
  void stop(base::Time now);  // at once

  const ipc::VrrpAssignment& assignment() const { return assignment_; }
  VrrpState state() const { return machine_.state; }
  ipc::VrrpReport report() const;

 private:
  void handle(const Event& event, base::Time now);
  void evaluate(base::Time now);
  Parameters make_parameters() const;
  std::string interface_fault() const;
  void log_transition(VrrpState from) const;
  std::optional<Event> carry_out(const Action& action, base::Time now);
  bool send(uint8_t priority);
  base::Result<> send_to_all(uint8_t priority);
  void add_addresses();
  bool add(const model::VirtualAddress& address);  // true: it was not there before
  void remove(const model::VirtualAddress& address);
  void add_routes(bool restoring);
  void remove_routes(const std::vector<model::VirtualRoute>& but = {});
  void release(const model::VirtualAddress& address);
  bool is_served_here(const base::Ip& ip) const;
  bool add_to_lo(const base::Ip& ip);  // true: it was not there before
  void remove_from_lo(const base::Ip& ip);
  void announce(int times);
  void announce(const model::VirtualAddress& address, int times);
  void reject(const Rejection& rejection, base::Time now);
  void judge_peer(const Advertisement& advertisement, base::Time now);
  bool stays_master_beside(const Advertisement& advertisement, base::Time now) const;
  void problem(std::string_view kind, const base::Ip& peer, const std::string& text, base::Time now);
  std::string addresses_text() const;

  ipc::VrrpAssignment assignment_;
  Port& port_;
  Leases& leases_;
  base::Time born_;
  InterfaceState interface_;
  std::vector<ipc::TrackerState> trackers_;
  Tracking tracking_;
  std::string own_fault_, group_fault_;
  bool looked_at_ = false, started_ = false;
  Parameters parameters_;
  Machine machine_;
  base::Time became_{};             // what it is
  bool announcing_failed_ = false;  // the same of an announcement
  bool some_missing_ = false;       // an address is not where it should be: tried again with the next advertisement
  std::optional<base::Time> last_restored_;
  std::set<std::string> failed_routes_;  // and so the log says
  std::set<base::Ip> announced_;         // by another host, during a handover
  uint64_t failed_in_a_row_ = 0;
  Problems problems_;
  ipc::VrrpReport report_;  // counters and since_unix
  std::optional<Rejection> last_rejection_;
};

}  // namespace vrrp
