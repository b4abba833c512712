// SPDX-License-Identifier: Apache-2.0
// Instance: one VRRP instance: carries out what its state machine says, counts, logs, reports.
// It has no clock and no loop of its own: the worker calls it with the time, again at the latest at deadline().
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ipc/messages.hpp"
#include "vrrp/leases.hpp"
#include "vrrp/log_limit.hpp"
#include "vrrp/packet.hpp"
#include "vrrp/port.hpp"
#include "vrrp/state_machine.hpp"

namespace vrrp {

class Instance {
 public:
  // `port` and `leases` must outlive the instance. Nothing happens before the first interface_is().
  Instance(ipc::VrrpAssignment assignment, Port& port, Leases& leases);

  // The interface cannot be used and why, or can (empty), and its primary address. The first call starts the instance.
  void interface_is(const std::string& problem, const std::optional<base::Ip>& primary_address, base::Time now);
  bool received(const Datagram& datagram, base::Time now);  // false: rejected, nothing but a counter changed
  void timer(base::Time now);
  std::optional<base::Time> deadline() const { return machine_.next_deadline(); }

  // Addresses that we should have are missing: puts them back, now or, if that was done just before, a little later.
  void restore_addresses(base::Time now);
  void announce_again();  // the interface has another MAC address: if MASTER, the network is to learn it
  bool should_have_addresses() const { return machine_.in_possession; }

  // Those that are served here, while they are not on the interface.
  std::vector<base::Ip> addresses_for_lo() const;
  void restore_on_lo(const base::Ip& ip);

  // A reload, in two steps, so that a lease index that passes from one address to another is ended before it is
  // renewed: first for all instances withdraw() what is no longer theirs, then for all reconfigure().
  // Name, interface and virtual router id are what the instance is; with others it is another one.
  void withdraw(const ipc::VrrpAssignment& next);
  void reconfigure(ipc::VrrpAssignment next, base::Time now);
  bool is_same_as(const ipc::VrrpAssignment& other) const;

  void stop(base::Time now);  // resigns

  const ipc::VrrpAssignment& assignment() const { return assignment_; }
  ipc::VrrpReport report() const;

 private:
  void handle(const Event& event, base::Time now);
  void log_transition(VrrpState from) const;
  std::optional<Event> carry_out(const Action& action, base::Time now);
  bool send(uint8_t priority);
  void add_addresses();
  bool add(const model::VirtualAddress& address);  // true: it was not there before
  void remove(const model::VirtualAddress& address);
  void release(const model::VirtualAddress& address);
  bool is_served_here(const base::Ip& ip) const;
  bool add_to_lo(const base::Ip& ip);  // true: it was not there before
  void remove_from_lo(const base::Ip& ip);
  void announce();
  void announce(const model::VirtualAddress& address);
  void reject(const Rejection& rejection, base::Time now);
  void compare_addresses(const Advertisement& advertisement, base::Time now);
  std::string addresses_text() const;

  ipc::VrrpAssignment assignment_;
  Port& port_;
  Leases& leases_;
  std::string interface_problem_;
  std::optional<base::Ip> primary_address_;
  Parameters parameters_;
  Machine machine_;
  bool some_missing_ = false;  // an address is not where it should be: tried again with the next advertisement
  std::optional<base::Time> last_restored_;
  uint64_t failed_in_a_row_ = 0;
  LogLimit log_limit_;
  ipc::VrrpReport report_;  // counters and since_unix
  std::optional<Rejection> last_rejection_;
};

}  // namespace vrrp
