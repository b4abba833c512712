// SPDX-License-Identifier: Apache-2.0
// The VRRP state machine: RFC 3768 and RFC 9568, section 6.4, as a pure function: step(machine, event, now) → machine,
// actions.
//
// Added to the RFCs: FAULT (the instance cannot or must not serve), the lease, the planned handover, what a MASTER does
// on hearing a lesser one, the farewell of a MASTER that is outranked, keepalived's delays. The table in
// state_machine.cpp has it all.
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

// What the operator configured, and what of it is so now.
struct Parameters {
  uint8_t version = 2;
  uint8_t priority = 100;  // trackers included
  base::Duration advertisement_interval = std::chrono::seconds(1);
  base::Duration longest_interval = std::chrono::seconds(10);  // version 3: what is learned is capped to it
  int down_timer_adverts = 3;
  bool preempt = true;
  base::Duration preempt_delay{};
  base::Time start_at{};  // nothing is done before
  bool farewell = true;
  model::Announcements announcements{};
  base::Ip source;  // the sender address of our own advertisements: it decides between equals
};

// `master_interval`: the Advertisement_Interval of whoever is MASTER; only version 3 has another one than ours.
base::Duration skew_time(const Parameters& parameters, base::Duration master_interval);
base::Duration master_down_interval(const Parameters& parameters, base::Duration master_interval);
// From an advertisement that was sent: it ends before any peer's Master_Down_Timer.
base::Duration lease_time(const Parameters& parameters);
namespace event {
struct Startup {
  bool resume = false;  // our lease still runs: an earlier process of ours was MASTER until now
};
struct Timer {};  // a deadline of the machine may have passed
struct Received {
  uint8_t priority = 0;
  base::Ip source;
  base::Duration interval = std::chrono::seconds(1);
};
struct Sent {  // what became of a SendAdvertisement
  bool ok = true;
};
struct Fault {
  std::string why;        // "enp1s0 has no carrier"
  bool can_send = false;  // it is not the interface: others can be told
};
struct FaultOver {};
struct IntervalChanged {};  // Parameters have another advertisement_interval from now on
struct HandOver {           // planned: leave without a gap. Not `stop`: and stay released until Resume
  bool stop = false;
};
struct Resume {};
struct Announced {};  // while it leaves_addresses(): another router has announced every one
struct Thawed {};     // this process did not run for a while; what had come in meanwhile has been given to the machine
// The sync group: another member became that.
struct GroupMaster {
  std::string why;
};
struct GroupBackup {
  std::string why;
};
struct Shutdown {};  // at once
}  // namespace event
using Event = std::variant<event::Startup, event::Timer, event::Received, event::Sent, event::Fault, event::FaultOver,
                           event::IntervalChanged, event::HandOver, event::Resume, event::Announced, event::Thawed,
                           event::GroupMaster, event::GroupBackup, event::Shutdown>;

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
struct Announce {  // a burst of gratuitous ARP, or its like, for every virtual address
  int times = 5;
  friend bool operator==(const Announce&, const Announce&) = default;
};
}  // namespace action
using Action = std::variant<action::SendAdvertisement, action::RenewLease, action::EndLease, action::AddAddresses,
                            action::RemoveAddresses, action::Announce>;

// A MASTER that leaves: has told so and waits for another one; has heard it and waits for its announcements.
enum class Handover { none, offered, yielded };

struct Machine {
  VrrpState state = VrrpState::init;
  std::string reason;     // why it is in this state, for people
  base::Ip master;        // whom we know to be MASTER; ::: nobody
  bool released = false;  // by HandOver: what another router has is not taken from it

  // Deadlines; event::Timer is due at the earliest of them.
  std::optional<base::Time> start_timer;        // INIT
  std::optional<base::Time> adver_timer;        // MASTER
  std::optional<base::Time> master_down_timer;  // BACKUP
  std::optional<base::Time> announce_timer;     // MASTER: the second burst after taking over, and the refreshs
  std::optional<base::Time> handover_timer;     // MASTER: no longer than that
  std::optional<base::Time> vacate_timer;       // BACKUP: outranked, and the addresses are still here

  // MASTER. Until the first advertisement is out the addresses are not ours to have.
  bool in_possession = false;
  bool resumed = false;
  base::Time lease_until;  // before possession: how long we go on trying to send
  std::optional<base::Time> last_announced, last_reasserted;
  int announce_when_leased =
      0;  // so many times: after a freeze the lease is over, and whatever we said would be dropped
  Handover handover = Handover::none;
  bool stopping = false;          // INIT comes after the handover
  bool others_announced = false;  // during a handover

  // BACKUP: what the timer's expiry will have meant.
  base::Time silent_since;
  base::Duration master_interval{};          // learned, and capped; zero: not learned
  bool resigned = false;                     // the MASTER sent priority 0
  std::optional<event::Received> outranked;  // a MASTER of lower priority, whose advertisements do not count
  std::optional<base::Time> let_be_until;    // the same, within preempt_delay

  bool superior_heard = false;  // INIT: someone better is MASTER, there is nothing to resume

  std::optional<base::Time> next_deadline() const;
  bool leaves_addresses() const { return handover != Handover::none || vacate_timer; }
};

struct Step {
  Machine machine;
  std::vector<Action> actions;
};

// `now` is CLOCK_BOOTTIME and never smaller than before.
Step step(const Machine& machine, const Parameters& parameters, const Event& event, base::Time now);

}  // namespace vrrp
