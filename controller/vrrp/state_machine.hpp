// SPDX-License-Identifier: Apache-2.0
// The VRRP state machine: RFC 3768 section 6.4 as a pure function, step(machine, event, now) → machine, actions.
//
// Added to the RFC: FAULT (the interface cannot be used), the lease, what a MASTER does on hearing a lesser one, and
// the farewell of a MASTER that is outranked. See the table in state_machine.cpp.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "ipc/messages.hpp"

namespace vrrp {

using ipc::VrrpState;

inline constexpr uint8_t kOwner = 255;  // the priority of a router whose own addresses the virtual ones are
inline constexpr uint8_t kResign = 0;   // "I am leaving"

// What the operator configured. `source` is the sender address of our own advertisements: it decides between equals.
struct Parameters {
  uint8_t priority = 100;
  base::Duration advertisement_interval = std::chrono::seconds(1);
  bool preempt = true;
  base::Ip source;
};

base::Duration skew_time(uint8_t priority);                         // (256 - Priority) / 256 s
base::Duration master_down_interval(const Parameters& parameters);  // 3 × Advertisement_Interval + Skew_Time

namespace event {
struct Startup {
  bool resume = false;  // our lease still runs: an earlier process of ours was MASTER until now
};
struct Timer {};  // a deadline of the machine may have passed
struct Received {
  uint8_t priority = 0;
  base::Ip source;
};
struct Sent {  // what became of a SendAdvertisement
  bool ok = true;
};
struct InterfaceDown {
  std::string why;  // "enp1s0 has no carrier"
};
struct InterfaceUp {};
struct IntervalChanged {};  // Parameters have another advertisement_interval from now on
struct Shutdown {};
}  // namespace event
using Event = std::variant<event::Startup, event::Timer, event::Received, event::Sent, event::InterfaceDown,
                           event::InterfaceUp, event::IntervalChanged, event::Shutdown>;

// To be done in the order given.
namespace action {
struct SendAdvertisement {  // and give the machine event::Sent afterwards
  uint8_t priority = 0;
  friend bool operator==(const SendAdvertisement&, const SendAdvertisement&) = default;
};
struct RenewLease {
  base::Time until;
  friend bool operator==(const RenewLease&, const RenewLease&) = default;
};
struct EndLease {
  friend bool operator==(const EndLease&, const EndLease&) = default;
};
struct AddAddresses {
  friend bool operator==(const AddAddresses&, const AddAddresses&) = default;
};
struct RemoveAddresses {
  friend bool operator==(const RemoveAddresses&, const RemoveAddresses&) = default;
};
struct Announce {  // a burst of gratuitous ARP for every virtual address
  friend bool operator==(const Announce&, const Announce&) = default;
};
}  // namespace action
using Action = std::variant<action::SendAdvertisement, action::RenewLease, action::EndLease, action::AddAddresses,
                            action::RemoveAddresses, action::Announce>;

struct Machine {
  VrrpState state = VrrpState::init;
  std::string reason;  // why it is in this state, for people
  base::Ip master;     // whom we know to be MASTER; ::: nobody

  // Deadlines; event::Timer is due at the earliest of them.
  std::optional<base::Time> adver_timer;        // MASTER
  std::optional<base::Time> master_down_timer;  // BACKUP
  std::optional<base::Time> announce_timer;     // MASTER: the second burst after taking over

  // MASTER. Until the first advertisement is out the addresses are not ours to have.
  bool in_possession = false;
  bool resumed = false;
  base::Time lease_until;  // before possession: how long we go on trying to send
  std::optional<base::Time> last_announced, last_reasserted;

  // BACKUP: what the timer's expiry will have meant.
  base::Time silent_since;
  bool resigned = false;                     // the MASTER sent priority 0
  std::optional<event::Received> outranked;  // a MASTER of lower priority, whose advertisements do not count

  bool superior_heard = false;  // INIT: someone better is MASTER, there is nothing to resume

  std::optional<base::Time> next_deadline() const;
};

struct Step {
  Machine machine;
  std::vector<Action> actions;
};

// `now` is CLOCK_BOOTTIME and never smaller than before.
Step step(const Machine& machine, const Parameters& parameters, const Event& event, base::Time now);

}  // namespace vrrp
