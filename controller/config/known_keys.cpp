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

constexpr auto kHints = std::to_array<Hint>({
    // Another name or another place
    {"nb_get_retry", "it is called \"retry\" here"},
    {"lvs_sched", "it is called \"lb_algo\" here"},
    {"lvs_method", "it is called \"lb_kind\" here"},
    {"vrrp_instance", "it is called \"vrrp_instances\" here, a list of objects with a \"name\""},
    {"virtual_server",
     "it is called \"virtual_servers\" here, a list of objects with \"address\" and \"port\", or "
     "\"fwmark\""},
    {"real_server", "it is called \"real_servers\" here, a list of objects with \"address\" and \"port\""},
    {"vrid", "it is called \"virtual_router_id\" here"},
    {"global_defs", "its keys (router_id, lvs_timeouts) stand at the top level here"},
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
    // Not done yet
    {"HTTP_GET", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"SSL_GET", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"*_CHECK", "only \"checks\" of \"type\": \"tcp\" are supported yet"},
    {"accept", kNotYet},
    {"alpha", kNotYet},
    {"bind*", kNotYet},
    {"connect_ip", kNotYet},
    {"dont_track_primary", kNotYet},
    {"garp_*", kNotYet},
    {"ha_suspend", kNotYet},
    {"hysteresis", kNotYet},
    {"ip_family", "a virtual server with a mark has the family of its real servers; leave it out"},
    {"lvs_sync*", kNotYet},
    {"lthreshold", kNotYet},
    {"mcast_dst_ip", kNotYet},
    {"native_ipv6", kNotYet},
    {"no_accept", kNotYet},
    {"notification_*", kNotYet},
    {"notify*", kNotYet},
    {"omega", kNotYet},
    {"persistence_engine", kNotYet},
    {"preempt_delay", kNotYet},
    {"quorum*", kNotYet},
    {"smtp_*", kNotYet},
    {"sorry_server*", kNotYet},
    {"static_*", kNotYet},
    {"track_*", kNotYet},
    {"unicast_*", kNotYet},
    {"use_vmac*", kNotYet},
    {"uthreshold", kNotYet},
    {"version", "only version 2 of VRRP is supported yet; remove it"},
    {"virtual_ipaddress_excluded", kNotYet},
    {"virtual_routes", kNotYet},
    {"virtual_rules", kNotYet},
    {"virtualhost", kNotYet},
    {"vrrp_*", kNotYet},
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
