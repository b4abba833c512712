// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "config/unique.hpp"
#include "config/validate.hpp"
#include "model/schedules.hpp"
#include "xdirector/limits.h"

namespace config {
namespace {

using Findings = std::vector<Finding>;

// Rules that overlap are cut into disjoint ranges, n of them into at most 2n - 1.
constexpr size_t kMaxRules = XD_MAX_PORT_RANGES / 2;
// The old cycles and the new ones are there together while a reload changes over.
constexpr uint64_t kMaxSlots = XD_SCHEDULE_SLOTS / 2;
constexpr size_t kMaxRealServers = XD_MAX_REAL_SERVERS - 1;  // slot 0 is never given out

void unique_virtual_servers(const model::Config& config, Findings& findings) {
  Unique<std::string> names;
  Unique<model::VirtualServerKey> keys;
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    const std::string here = fmt::format("virtual_servers[{}]", i);
    const bool key_known = server.key.mark != 0 || (server.key.address != base::Ip() && server.key.port != 0);
    if (!key_known) continue;
    if (const std::string first = keys.first(server.key, here); !first.empty()) {
      findings.push_back(
          {here, fmt::format("{} is {} already; put all its real servers there", server.key.str(), first)});
    } else if (const std::string name_of = names.first(server.name, here); !server.name.empty() && !name_of.empty()) {
      findings.push_back(
          {here + ".name",
           fmt::format("\"{}\" is the name of {} already; each virtual server needs its own", server.name, name_of)});
    }
  }
}

void unique_real_servers(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    Unique<std::pair<base::Ip, uint16_t>> seen;
    const auto& real_servers = config.virtual_servers[i].real_servers;
    for (size_t j = 0; j < real_servers.size(); ++j) {
      const model::RealServer& real = real_servers[j];
      const std::string path = fmt::format("virtual_servers[{}].real_servers[{}]", i, j);
      const std::string first = seen.first({real.address, real.port}, path);
      if (real.address == base::Ip() || real.port == 0 || first.empty()) continue;
      findings.push_back(
          {path, fmt::format("{} is {} already; give it more weight there", real.address.str(real.port), first)});
    }
  }
}

void peer_directors(const model::Config& config, Findings& findings) {
  if (config.peer_directors.size() > XD_MAX_PEERS) {
    findings.push_back({"peer_directors",
                        fmt::format("{} peer directors; allowed are {}", config.peer_directors.size(), XD_MAX_PEERS)});
  }
  std::map<base::Ip, std::string> own;
  for (const model::VrrpInstance& instance : config.vrrp_instances) {
    own.emplace(instance.source, fmt::format("the mcast_src_ip of \"{}\"", instance.name));
    for (const model::VirtualAddress& address : instance.all_addresses()) {
      own.emplace(address.ip, fmt::format("a virtual address of \"{}\"", instance.name));
    }
  }
  Unique<base::Ip> seen;
  for (size_t i = 0; i < config.peer_directors.size(); ++i) {
    const base::Ip& peer = config.peer_directors[i];
    const std::string here = fmt::format("peer_directors[{}]", i);
    const std::string first = seen.first(peer, here);
    if (peer == base::Ip()) continue;
    if (!first.empty()) findings.push_back({here, fmt::format("{} is {} already", peer.str(), first)});
    if (const auto mine = own.find(peer); mine != own.end()) {
      findings.push_back(
          {here, fmt::format("{} is {}; give the other director's own address", peer.str(), mine->second)});
    }
  }
}

const char* family(bool v6) {
  return v6 ? "IPv6" : "IPv4";
}

// A virtual server balances one family: that of its address; with a mark, that of its real servers.
void families_of_real_servers(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    if (server.real_servers.empty()) continue;
    const base::Ip& first = server.key.mark != 0 ? server.real_servers.front().address : server.key.address;
    for (size_t j = 0; j < server.real_servers.size(); ++j) {
      const base::Ip& real = server.real_servers[j].address;
      if (real == base::Ip() || first == base::Ip() || real.is_v6() == first.is_v6()) continue;
      findings.push_back(
          {fmt::format("virtual_servers[{}].real_servers[{}].address", i, j),
           fmt::format("{} is {}, but {} is {}; a virtual server has one family: give the real server's {} address",
                       real.str(), family(real.is_v6()), first.str(), family(first.is_v6()), family(first.is_v6()))});
    }
  }
}

// A mark on addresses of a family in which no virtual server has it, though one in the other family does.
void families_of_marks(const model::Config& config, Findings& findings) {
  std::map<model::VirtualServerKey, const model::VirtualServer*> marked;
  for (const model::VirtualServer& server : config.virtual_servers) {
    const bool known = !server.real_servers.empty() && server.real_servers.front().address != base::Ip();
    if (known) marked.emplace(server.key, &server);
  }
  for (size_t i = 0; i < config.port_marks.size(); ++i) {
    const model::PortMark& rule = config.port_marks[i];
    if (rule.address == base::Ip() || rule.mark == 0) continue;
    const bool v6 = rule.address.is_v6();
    auto find = [&](bool mark_v6) {
      return marked.find({.mark = rule.mark, .mark_v6 = mark_v6, .address = {}, .port = 0, .protocol = rule.protocol});
    };
    const auto other = find(!v6);
    if (find(v6) != marked.end() || other == marked.end()) continue;
    findings.push_back(
        {fmt::format("port_marks[{}].address", i),
         fmt::format("{} is {}, but the real servers of \"{}\", which has fwmark {}, are {}; a virtual "
                     "server has one family: give it real servers of {}, or the address another mark",
                     rule.address.str(), family(v6), other->second->name, rule.mark, family(!v6), family(v6))});
  }
}

void persistent_packets(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    if (!server.one_packet || server.persistence_timeout == base::Duration::zero()) continue;
    findings.push_back({fmt::format("virtual_servers[{}].ops", i),
                        "of a virtual server with ops nothing is remembered; remove it, or \"persistence_timeout\""});
  }
}

void at_most(size_t count, size_t limit, const char* path, const char* of_what, Findings& findings) {
  if (count > limit) findings.push_back({path, fmt::format("{} {}; allowed are {}", count, of_what, limit)});
}

void sizes(const model::Config& config, Findings& findings) {
  size_t addresses = 0;
  for (const auto& instance : config.vrrp_instances) addresses += instance.all_addresses().size();
  at_most(addresses, XD_MAX_LEASES, "vrrp_instances", "virtual addresses in all instances", findings);

  at_most(config.virtual_servers.size(), XD_MAX_VIRTUAL_SERVERS, "virtual_servers", "virtual servers", findings);
  size_t real_servers = 0;
  for (const auto& server : config.virtual_servers) real_servers += server.real_servers.size();
  at_most(real_servers, kMaxRealServers, "virtual_servers", "real servers in all virtual servers", findings);
  if (const uint64_t slots = model::schedule_slots(config); slots > kMaxSlots) {
    findings.push_back(
        {"virtual_servers",
         fmt::format("the weights need schedules of {} entries together; allowed are {}. A virtual server takes "
                     "about 33 times the sum of its weights divided by their greatest common divisor: use smaller "
                     "weights",
                     slots, kMaxSlots)});
  }
}

void port_marks(const model::Config& config, Findings& findings) {
  std::map<std::pair<base::Ip, model::Protocol>, size_t> rules;
  for (size_t i = 0; i < config.port_marks.size(); ++i) {
    const model::PortMark& rule = config.port_marks[i];
    if (rule.address == base::Ip()) continue;
    if (++rules[{rule.address, rule.protocol}] == kMaxRules + 1) {
      findings.push_back({fmt::format("port_marks[{}]", i),
                          fmt::format("more than {} port ranges for {} of {}; put neighbouring ranges together",
                                      kMaxRules, name(rule.protocol), rule.address.str())});
    }
  }
  at_most(rules.size(), XD_MAX_MARKED_ADDRESSES, "port_marks", "pairs of address and protocol with port marks",
          findings);
}

}  // namespace

std::vector<Finding> contradictions(const model::Config& config) {
  Findings findings;
  if (config.vrrp_instances.empty() && config.interfaces.empty()) {
    findings.push_back(
        {"", "no network interface to work on; give \"vrrp_instances\", or \"interfaces\" without VRRP"});
  }
  for (Finding& finding : vrrp_contradictions(config)) findings.push_back(std::move(finding));
  peer_directors(config, findings);
  unique_virtual_servers(config, findings);
  unique_real_servers(config, findings);
  families_of_real_servers(config, findings);
  families_of_marks(config, findings);
  persistent_packets(config, findings);
  sizes(config, findings);
  port_marks(config, findings);
  return findings;
}

}  // namespace config
