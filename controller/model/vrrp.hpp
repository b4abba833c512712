// SPDX-License-Identifier: Apache-2.0
// What the operator wants of VRRP, as plain values with every default filled in: settings of keepalived's global_defs
// and of a definition (a script's weight, say) are resolved into each instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace model {

enum class InitialState { master, backup };

// A command to be run without a shell.
struct Command {
  std::vector<std::string> arguments;  // the first is the program, an absolute path; empty: there is no command
  std::string user;                    // whose rights it gets
  std::string group;                   // empty: the user's

  explicit operator bool() const { return !arguments.empty(); }
  friend bool operator==(const Command&, const Command&) = default;
};

// --- What can make an instance worth less ---

// keepalived's vrrp_script: up when the exit code is 0.
struct TrackScript {
  std::string name;
  Command command;
  base::Duration interval = std::chrono::seconds(1);
  base::Duration timeout = std::chrono::seconds(1);  // then it is ended, and has failed
  int rise = 1, fall = 1;                            // results in a row
  bool init_fail = false;                            // down until it has succeeded `rise` times

  friend bool operator==(const TrackScript&, const TrackScript&) = default;
};

// keepalived's vrrp_track_file: the number in a file.
struct TrackFile {
  std::string name;
  std::string path;

  friend bool operator==(const TrackFile&, const TrackFile&) = default;
};

// keepalived's vrrp_track_process: up while enough processes of that name run.
struct TrackProcess {
  std::string name;
  std::string process;  // its name, as in /proc/PID/comm; or the path of its program
  int quorum = 1;
  base::Duration delay{};  // it must have been so for this long

  friend bool operator==(const TrackProcess&, const TrackProcess&) = default;
};

enum class TrackerKind { interface, script, file, process };
const char* name(TrackerKind kind);  // "track_interface", "track_script" ...

// An instance's use of one of these. An interface is up while it has carrier.
struct Tracked {
  TrackerKind kind = TrackerKind::interface;
  std::string name;
  int weight = 0;        // 0: FAULT while it is down. > 0: added while it is up; < 0: while it is down. File: a factor.
  bool reverse = false;  // down counts as up, and up as down

  friend bool operator==(const Tracked&, const Tracked&) = default;
};

// --- What an instance has while it is MASTER ---

struct VirtualAddress {
  VirtualAddress() = default;
  VirtualAddress(const base::Ip& address) : ip(address), prefix_length(address.bits()) {}  // NOLINT: as /32 or /128
  VirtualAddress(base::Ipv4 address) : VirtualAddress(base::Ip(address)) {}                // NOLINT: the same

  base::Ip ip;
  uint8_t prefix_length = 32;
  std::string device;                   // empty: the instance's interface
  std::string label;                    // "eth0:1"; empty: none. IPv4 only
  std::optional<base::Ipv4> broadcast;  // IPv4 only
  uint8_t scope = 0;                    // RT_SCOPE_UNIVERSE

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

struct VirtualRoute {
  base::Ip destination;
  uint8_t prefix_length = 0;
  std::optional<base::Ip> via;
  std::optional<base::Ip> source;
  std::string device;    // empty: whichever leads to `via`
  uint32_t table = 0;    // 0: main
  uint32_t metric = 0;   // 0: the kernel's default
  uint8_t scope = 0;     // RT_SCOPE_UNIVERSE
  bool on_link = false;  // `via` is on the link, though no address of ours says so

  friend bool operator==(const VirtualRoute&, const VirtualRoute&) = default;
};

// Gratuitous ARP and unsolicited neighbour advertisements.
struct Announcements {
  int repeat = 5;                                     // garp_master_repeat: packets in a burst
  base::Duration delay = std::chrono::seconds(5);     // garp_master_delay: to the second burst; zero: none
  base::Duration refresh = std::chrono::seconds(60);  // garp_master_refresh: a burst every so often; zero: never
  int refresh_repeat = 1;
  int lower_priority_repeat = 5;                 // garp_lower_prio_repeat: on hearing a lesser MASTER
  base::Duration arp_interval{}, nd_interval{};  // vrrp_garp_interval, vrrp_gna_interval: between two packets

  friend bool operator==(const Announcements&, const Announcements&) = default;
};

// --- The rest of an instance ---

struct UnicastPeer {
  base::Ip address;
  uint8_t min_ttl = 0, max_ttl = 255;  // of what comes from it

  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

// Over what the checksum of version 3 on IPv4 is made: RFC 5798 as keepalived reads it, or RFC 9568. Either is
// accepted.
enum class Checksum { pseudo_header, message_only };

// A virtual address that someone else took off while we are MASTER.
enum class AddressLost { restore, fault };

// keepalived's notify scripts. `any` gets what has changed as further arguments: INSTANCE|GROUP, name, state, priority.
struct Notify {
  Command any, master, backup, fault, stop;

  friend bool operator==(const Notify&, const Notify&) = default;
};

struct VrrpInstance {
  std::string name;
  InitialState state = InitialState::backup;
  std::string interface;
  uint8_t virtual_router_id = 0;  // 1-255
  uint8_t version = 2;            // 2 or 3; IPv6 needs 3
  uint8_t priority = 100;         // 1-255; 255 owns the addresses
  base::Duration advert_int = std::chrono::seconds(1);
  bool nopreempt = false;
  base::Duration preempt_delay{};       // a lesser MASTER is let be for so long
  base::Duration startup_delay{};       // vrrp_startup_delay: after the start of the daemon nothing is done for so long
  int down_timer_adverts = 3;           // missed advertisements until the MASTER counts as gone
  base::Duration longest_advert_int{};  // a learned interval beyond it is capped; zero: max(4 × advert_int, 10 s)
  Checksum checksum = Checksum::pseudo_header;
  base::Ip source;        // mcast_src_ip, unicast_src_ip; ::: the interface's primary or link-local one
  std::string auth_pass;  // empty: no authentication. At most 8 bytes count. A secret: never print it.
  std::vector<UnicastPeer> unicast_peers;  // empty: multicast
  uint8_t unicast_ttl = 255;
  bool strict_address_list = false;   // an advertisement with other addresses is rejected
  bool check_source_network = false;  // and one from a source that is not on the interface's network
  bool farewell = true;               // outranked: one last advertisement, so that the winner announces itself
  AddressLost address_lost = AddressLost::restore;
  bool use_vmac = false;   // addresses live on a macvlan with the virtual router's MAC address
  std::string vmac_name;   // its name; resolved: "vrrp.100", "vrrp6.100"
  bool vmac_base = false;  // vmac_xmit_base: advertisements leave by the interface itself
  bool promote_secondaries = false;
  bool track_primary = true;  // not dont_track_primary: its interface down is FAULT
  Announcements announcements;
  std::vector<Tracked> tracked;
  std::vector<VirtualAddress> virtual_addresses;   // one family; in the advertisements
  std::vector<VirtualAddress> excluded_addresses;  // virtual_ipaddress_excluded: had, but not advertised; any family
  std::vector<VirtualRoute> virtual_routes;
  Notify notify;

  bool is_v6() const { return !virtual_addresses.empty() && virtual_addresses.front().ip.is_v6(); }
  // Of virtual_addresses, then excluded_addresses. Each has a lease.
  std::vector<VirtualAddress> all_addresses() const;
  friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

// A planned handover waits so long at most for another router: the longest skew that there can be, and a little ...
base::Duration handover_wait(uint8_t version, base::Duration advert_int);
// ... and, once it is heard, for its announcement of every address.
inline constexpr base::Duration kVacateAfter = std::chrono::milliseconds(300);

// The interface on which an instance's virtual address is while it is MASTER.
const std::string& place_of(const VrrpInstance& instance, const VirtualAddress& address);

// The interface by which its advertisements leave, and the one on which they are heard.
const std::string& sends_on(const VrrpInstance& instance);
const std::string& hears_on(const VrrpInstance& instance);

// Instances that change state together.
struct SyncGroup {
  std::string name;
  std::vector<std::string> instances;  // each in one group only
  Notify notify;

  friend bool operator==(const SyncGroup&, const SyncGroup&) = default;
};

}  // namespace model
