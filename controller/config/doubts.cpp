// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/validate.hpp"

namespace config {
namespace {

using Findings = std::vector<Finding>;
using MarkKey = std::tuple<uint32_t, model::Protocol, bool>;  // of IPv6?

MarkKey mark_of(const model::VirtualServerKey& key) {
  return {key.mark, key.protocol, key.mark_v6};
}

MarkKey mark_of(const model::PortMark& rule) {
  return {rule.mark, rule.protocol, rule.address.is_v6()};
}

std::string path_of(const char* list, size_t index) {
  return fmt::format("{}[{}]", list, index);
}

std::string ports(const model::PortMark& rule) {
  if (rule.first_port == rule.last_port) return fmt::format("port {}", rule.first_port);
  return fmt::format("ports {}-{}", rule.first_port, rule.last_port);
}

// An exact virtual server within the ports of a mark: here it keeps its packets, on IPVS the mark takes them. Of rules
// that overlap the last one sets the mark.
void overlaps(const model::Config& config, Findings& findings) {
  std::map<MarkKey, const model::VirtualServer*> marked;
  for (const auto& server : config.virtual_servers) {
    if (server.key.mark != 0) marked.emplace(mark_of(server.key), &server);
  }
  std::map<std::pair<base::Ip, model::Protocol>, std::vector<size_t>> rules;
  for (size_t i = 0; i < config.port_marks.size(); ++i) {
    rules[{config.port_marks[i].address, config.port_marks[i].protocol}].push_back(i);
  }
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    const auto found = rules.find({server.key.address, server.key.protocol});
    if (server.key.port == 0 || server.key.address == base::Ip() || found == rules.end()) continue;
    const auto last = std::ranges::find_if(found->second.rbegin(), found->second.rend(), [&](size_t index) {
      const model::PortMark& rule = config.port_marks[index];
      return rule.first_port <= server.key.port && server.key.port <= rule.last_port;
    });
    if (last == found->second.rend()) continue;
    const model::PortMark& rule = config.port_marks[*last];
    const auto winner = marked.find(mark_of(rule));
    if (winner == marked.end()) continue;  // IPVS would not have found the mark either
    findings.push_back(
        {path_of("virtual_servers", i),
         fmt::format(
             "{} lies in {} of {} (mark {}). Here the most specific wins: \"{}\" gets its connections. On IPVS the "
             "mark wins: \"{}\" would get them",
             server.key.str(), ports(rule), path_of("port_marks", *last), rule.mark, server.name,
             winner->second->name)});
  }
}

bool has_no_key(const model::VirtualServer& server) {
  return server.key.mark == 0 && (server.key.address == base::Ip() || server.key.port == 0);
}

// Marks that only one side knows; silent where one could not be read.
void lonely_marks(const model::Config& config, Findings& findings) {
  if (std::ranges::find(config.port_marks, 0u, &model::PortMark::mark) != config.port_marks.end()) return;
  if (std::ranges::any_of(config.virtual_servers, has_no_key)) return;
  std::set<MarkKey> set, used;
  for (const auto& rule : config.port_marks) set.insert(mark_of(rule));
  for (const auto& server : config.virtual_servers) used.insert(mark_of(server.key));
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServerKey& key = config.virtual_servers[i].key;
    if (key.mark == 0 || set.contains(mark_of(key))) continue;
    findings.push_back(
        {path_of("virtual_servers", i) + ".fwmark",
         fmt::format("no entry of \"port_marks\" sets mark {} for {}: this virtual server gets no packets "
                     "(marks of iptables do not count, XDP runs before it)",
                     key.mark, name(key.protocol))});
  }
  for (size_t i = 0; i < config.port_marks.size(); ++i) {
    const model::PortMark& rule = config.port_marks[i];
    if (used.contains(mark_of(rule))) continue;
    findings.push_back(
        {path_of("port_marks", i) + ".mark", fmt::format("no virtual server has fwmark {} for {}: this mark "
                                                         "has no effect",
                                                         rule.mark, name(rule.protocol))});
  }
}

void weights(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    if (std::ranges::any_of(server.real_servers, &model::RealServer::weight)) continue;
    findings.push_back({path_of("virtual_servers", i) + ".real_servers",
                        server.real_servers.empty() ? "there is no real server: every connection is dropped"
                                                    : "all weights are 0: every new connection is dropped"});
  }
}

void granularity(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    const uint8_t whole = server.key.is_v6() ? 128 : 32;
    if (has_no_key(server) || server.persistence_timeout > base::Duration::zero()) continue;
    if (server.persistence_prefix == whole) continue;
    findings.push_back(
        {path_of("virtual_servers", i) + ".persistence_granularity", "has no effect without \"persistence_timeout\""});
  }
}

void direct_routing_ports(const model::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const model::VirtualServer& server = config.virtual_servers[i];
    if (server.key.port == 0) continue;  // a mark: its packets may have any port
    for (size_t j = 0; j < server.real_servers.size(); ++j) {
      const uint16_t port = server.real_servers[j].port;
      if (port == 0 || port == server.key.port) continue;
      findings.push_back({fmt::format("virtual_servers[{}].real_servers[{}].port", i, j),
                          fmt::format("{} is not the virtual server's {}. Direct routing does not change ports: "
                                      "connections arrive at port {} of {}",
                                      port, server.key.port, server.key.port, server.real_servers[j].address.str())});
    }
  }
}

void real_servers_that_are_virtual(const model::Config& config, Findings& findings) {
  std::set<base::Ip> virtual_addresses;
  for (const auto& instance : config.vrrp_instances) {
    for (const model::VirtualAddress& address : instance.all_addresses()) virtual_addresses.insert(address.ip);
  }
  for (const auto& server : config.virtual_servers) virtual_addresses.insert(server.key.address);
  for (size_t i = 0; i < config.virtual_servers.size(); ++i) {
    const auto& real_servers = config.virtual_servers[i].real_servers;
    for (size_t j = 0; j < real_servers.size(); ++j) {
      const base::Ip address = real_servers[j].address;
      if (address == base::Ip() || !virtual_addresses.contains(address)) continue;
      findings.push_back({fmt::format("virtual_servers[{}].real_servers[{}].address", i, j),
                          fmt::format("{} is a virtual address: packets would come back to the director; give the real "
                                      "server's own address",
                                      address.str())});
    }
  }
}

// A peer that forwards from another address than the one given here is not known for a peer.
void peers_that_are_no_real_servers(const model::Config& config, Findings& findings) {
  std::set<base::Ip> real_servers;
  for (const auto& server : config.virtual_servers) {
    for (const auto& real : server.real_servers) real_servers.insert(real.address);
  }
  for (size_t i = 0; i < config.peer_directors.size(); ++i) {
    const base::Ip& peer = config.peer_directors[i];
    if (peer == base::Ip() || real_servers.contains(peer)) continue;
    findings.push_back({path_of("peer_directors", i),
                        fmt::format("{} is not the address of a real server. If that machine is one, give the address "
                                    "that it has as one; else packets could go to and fro between the directors",
                                    peer.str())});
  }
}

}  // namespace

std::vector<Finding> doubts(const model::Config& config) {
  Findings findings;
  overlaps(config, findings);
  lonely_marks(config, findings);
  weights(config, findings);
  granularity(config, findings);
  direct_routing_ports(config, findings);
  real_servers_that_are_virtual(config, findings);
  peers_that_are_no_real_servers(config, findings);
  for (Finding& finding : vrrp_doubts(config)) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace config
