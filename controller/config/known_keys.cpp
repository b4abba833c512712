// SPDX-License-Identifier: Apache-2.0
#include "config/known_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "config/diagnostic.hpp"

namespace config {
namespace {

// A word of keepalived.conf (or, ending in '*', all that begin so) for which the nearest key would mislead.
struct Hint {
  std::string_view word;
  std::string_view text;
};

constexpr std::string_view kNotYet = "keepalived's, but not supported yet; remove it";
constexpr std::string_view kNoMail =
    "mail is not sent; use \"notify\" or \"notify_fifo\", or an alert on the metrics, and remove it";
constexpr std::string_view kNoSync =
    "connections are not synchronised; after a change of MASTER a consistent hash keeps most of them. Remove it";
constexpr std::string_view kStatic = "not VRRP's work; give it to the system's network configuration and remove it";
constexpr std::string_view kNoFirewall =
    "no firewall rules are made: an address is fenced by the program itself. Remove it";
constexpr std::string_view kGroup =
    "only 224.0.0.18 and ff02::12 are supported; remove it, on all routers, or use \"unicast_peer\"";
constexpr std::string_view kRealTime =
    "the VRRP process always has a real-time priority, a limit on its use, and locked memory; remove it";
constexpr std::string_view kStrict =
    "not supported: it would only forbid what other keys say. Remove it; \"strict_address_list\" is what could be "
    "meant";
constexpr std::string_view kAlways = "it is always so; remove it";
constexpr std::string_view kVmacName = "give \"use_vmac\" the interface's name in place of true";
constexpr std::string_view kLinkbeat = "the kernel's word on a carrier is taken, polling is not supported; remove it";
constexpr std::string_view kNoBfd =
    "BFD is not supported; use version 3 of VRRP with an \"advert_int\" down to 0.01 for a fast takeover";

constexpr auto kHints = std::to_array<Hint>({
    // Another name or another place
    {"nb_get_retry", "it is called \"retry\" here"},
    {"lvs_sched", "it is called \"lb_algo\" here"},
    {"lvs_method", "it is called \"lb_kind\" here"},
    {"vrrp_instance", "it is called \"vrrp_instances\" here, a list of objects with a \"name\""},
    {"vrrp_script", "it is called \"vrrp_scripts\" here, a list of objects with a \"name\""},
    {"vrrp_sync_group", "it is called \"vrrp_sync_groups\" here, a list of objects with a \"name\""},
    {"vrrp_track_file", "it is called \"vrrp_track_files\" here, a list of objects with a \"name\""},
    {"vrrp_track_process", "it is called \"vrrp_track_processes\" here, a list of objects with a \"name\""},
    {"higher_prio_send_advert", "it is called \"farewell\" here, and is the default"},
    {"vrrp_higher_prio_send_advert", "it is called \"farewell\" here, is the default, and belongs to an instance"},
    {"vrrp_min_garp", "give \"vrrp_garp_master_repeat\": 1 and \"vrrp_garp_master_delay\": 0"},
    {"vmac_prefix", kVmacName},
    {"vmac_addr_prefix", kVmacName},
    {"fork_delay", "it is called \"delay\" here, and is the same in both directions"},
    {"terminate_delay", "it is called \"delay\" here, and is the same in both directions"},
    {"preferred_lft", "IPv6 addresses are never preferred as a source here; leave it out"},
    {"noprefixroute", "write the address without a prefix length: then there is no route to its network"},
    {"virtual_server",
     "it is called \"virtual_servers\" here, a list of objects with \"address\" and \"port\", or "
     "\"fwmark\""},
    {"real_server", "it is called \"real_servers\" here, a list of objects with \"address\" and \"port\""},
    {"vrid", "it is called \"virtual_router_id\" here"},
    {"global_defs", "its keys (router_id, vrrp_version, script_user ...) stand at the top level here"},
    {"lvs_id", "it is called \"router_id\" here"},
    {"preempt", "it is the default; leave it out, or give \"nopreempt\": true"},
    {"TCP_CHECK", "write it as \"checks\": [{ \"type\": \"tcp\", ... }]"},
    {"virtual_server_group",
     "give several addresses or ports one mark by \"port_marks\", and a virtual server with that "
     "\"fwmark\""},
    {"sh-fallback",
     "it is always so: what would fall to a real server that is not there falls to the others; remove it"},
    {"mh-fallback",
     "it is always so: what would fall to a real server that is not there falls to the others; remove it"},
    {"flag-*", "write \"sh-port\": true or \"mh-port\": true"},
    // Another object
    {"inhibit_on_failure", "give it to each of \"real_servers\""},
    {"connect_timeout", "give it to each of a real server's \"checks\""},
    {"connect_port", "give it to each of a real server's \"checks\""},
    {"retry", "give it to each of a real server's \"checks\""},
    {"delay_before_retry", "give it to each of a real server's \"checks\""},
    {"delay_loop", "give it to the virtual server"},
    {"auth_type", "put it into \"authentication\": { ... }"},
    {"auth_pass", "put it into \"authentication\": { ... }"},
    // What there is no need for
    {"check_unicast_src", kAlways},
    {"vrrp_check_unicast_src", kAlways},
    {"native_ipv6", "the addresses say it; remove it"},
    {"dynamic_interfaces", kAlways},
    {"allow_if_changes", kAlways},
    {"unicast_fault_no_peer", "an empty \"unicast_peer\" is an error anyway; remove it"},
    {"old_unicast_checksum", "peers older than keepalived 1.3.6 are not supported; remove it"},
    {"lower_prio_no_advert", "a lesser MASTER is always answered, at most every 50 ms; remove it"},
    {"vrrp_lower_prio_no_advert", "a lesser MASTER is always answered, at most every 50 ms; remove it"},
    {"garp_lower_prio_delay", "a lesser MASTER is answered as long as it advertises, with no second burst; remove it"},
    {"vrrp_garp_lower_prio_delay",
     "a lesser MASTER is answered as long as it advertises, with no second burst; remove it"},
    {"vrrp_priority", kRealTime},
    {"vrrp_no_swap", kRealTime},
    {"vrrp_rt_priority", kRealTime},
    {"vrrp_rlimit_rt*", kRealTime},
    {"vrrp_cpu_affinity", "set CPUAffinity= in the unit; remove it"},
    {"max_auto_priority", kRealTime},
    {"min_auto_priority_delay", kRealTime},
    {"log_unknown_vrids", "not supported; remove it"},
    {"debug", "it has no effect in keepalived either; remove it"},
    {"global_tracking", "a sync group's own \"track_...\" are its members'; remove it"},
    {"sync_group_tracking_weight", kAlways},
    {"nat_mask", "keepalived has no such word any more; remove it"},
    // What is not supported
    {"lvs_sync*", kNoSync},
    {"smtp_*", kNoMail},
    {"notification_email*", kNoMail},
    {"no_email_faults", kNoMail},
    {"virtual_rules", "not supported; set them by \"notify_master\" and \"notify_backup\", or for good"},
    {"static_*", kStatic},
    {"track_bfd", kNoBfd},
    {"bfd_*", kNoBfd},
    {"vrrp_strict", kStrict},
    {"strict_mode", kStrict},
    {"vrrp_iptables", kNoFirewall},
    {"vrrp_ipsets", kNoFirewall},
    {"nftables*", kNoFirewall},
    {"vrrp_mcast_group*", kGroup},
    {"mcast_dst_ip", kGroup},
    {"use_ipvlan", "not supported; use \"use_vmac\", or neither"},
    {"use_vmac_addr", "not supported: an address with another \"dev\" is there by that interface's own MAC address"},
    {"vrf", "not supported; give \"interface\", which may be in a VRF"},
    {"track_src_ip", "not supported; a source address that this host has not is logged. Remove it"},
    {"garp_extra_if", "\"garp_master_refresh\" announces addresses on all interfaces; use it"},
    {"vrrp_garp_extra_if", "\"vrrp_garp_master_refresh\" announces addresses on all interfaces; use it"},
    {"garp_group", "not supported; \"vrrp_garp_interval\" is for all interfaces"},
    {"linkbeat_*", kLinkbeat},
    {"interface_up_down_delays", "not supported; let the bond or the switch wait, and remove it"},
    {"notify_fifo_script", "not started here; let a service of its own read the FIFO"},
    {"vrrp_notify_fifo_script", "not started here; let a service of its own read the FIFO"},
    {"notify_master_rx_lower_pri", "not supported; `xdirector status` and the log say that there are two MASTERs"},
    {"notify_priority_changes", "not supported; `xdirector status` shows the priority and what it is made of"},
    {"vrrp_notify_priority_changes", "not supported; `xdirector status` shows the priority and what it is made of"},
    {"notify_deleted", "not supported; remove it"},
    {"init_file", "not supported: no file is 0; let whoever writes it make it"},
    {"quorum_max", "not supported; use a script in \"vrrp_scripts\""},
    {"param_match", "not supported; use a script in \"vrrp_scripts\""},
    {"full_command", "not supported; give the path of the program as \"process\", or use a script"},
    {"no_track", "not supported; \"address_lost\" says what is done"},
    {"use_vmac*", "give \"use_vmac\" to the instance"},
    {"peer", "not supported in a virtual address; remove it"},
    {"vrrp_rx_bufs*", "the sockets' buffers are large enough for any burst; remove it"},
    {"kernel_rx_buf_size", "the sockets' buffers are large enough for any burst; remove it"},
    {"blackhole", "such routes are not supported; give it to the system's network configuration"},
    {"unreachable", "such routes are not supported; give it to the system's network configuration"},
    {"prohibit", "such routes are not supported; give it to the system's network configuration"},
    {"nexthop", "routes over several gateways are not supported; give it one, by \"via\""},
    {"or", "routes over several gateways are not supported; give it one, by \"via\""},
    // Not done yet
    {"HTTP_GET", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"SSL_GET", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"*_CHECK", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"alpha", kNotYet},
    {"bind*", kNotYet},
    {"connect_ip", kNotYet},
    {"ha_suspend", kNotYet},
    {"hysteresis", kNotYet},
    {"ip_family", "a virtual server with a mark has the family of its real servers; leave it out"},
    {"lthreshold", kNotYet},
    {"notify_down", kNotYet},
    {"notify_up", kNotYet},
    {"omega", kNotYet},
    {"persistence_engine", kNotYet},
    {"quorum*", kNotYet},
    {"sorry_server*", kNotYet},
    {"uthreshold", kNotYet},
    {"virtualhost", kNotYet},
    {"warmup", "checks are spread over delay_loop by themselves; remove it"},
});

bool matches(std::string_view word, std::string_view key) {
  if (word.ends_with('*')) return key.starts_with(word.substr(0, word.size() - 1));
  if (word.starts_with('*')) return key.ends_with(word.substr(1));
  return word == key;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

std::string unknown_key(std::string_view key, std::span<const std::string_view> known) {
  // A slip of the finger first: "vrrp_instnces" is no use of keepalived's "vrrp_*".
  const std::string_view written = key.substr(0, 64);  // longer ones are near to nothing
  std::string_view nearest;
  size_t distance = std::string_view::npos;
  for (const std::string_view candidate : known) {
    const size_t d = edit_distance(written, candidate);
    if (d < distance) {
      distance = d;
      nearest = candidate;
    }
  }
  const auto exact = std::ranges::find(kHints, key, &Hint::word);
  const auto hint =
      exact != kHints.end() ? exact : std::ranges::find_if(kHints, [&](const Hint& h) { return matches(h.word, key); });
  const bool slip = !nearest.empty() && distance <= std::max<size_t>(1, std::max(written.size(), nearest.size()) / 3);
  if (hint != kHints.end() && (exact != kHints.end() || !slip)) {
    return fmt::format("unknown key {}: {}", quoted(key), hint->text);
  }
  if (slip) return fmt::format("unknown key {}; did you mean \"{}\"?", quoted(key), nearest);
  return fmt::format("unknown key {}; known here: {}", quoted(key), fmt::join(known, ", "));
}

}  // namespace config
