// SPDX-License-Identifier: Apache-2.0
#include "control/status.hpp"

#include <nlohmann/json.hpp>

#include "xdirector/verdicts.h"

namespace control {
namespace {

using Json = nlohmann::ordered_json;

Json problems_json(const ipc::VrrpReport& report) {
  Json problems = Json::array();
  for (const ipc::VrrpProblem& problem : report.problems) {
    problems.push_back({{"kind", problem.kind},
                        {"peer", problem.peer == base::Ip() ? "" : problem.peer.str()},
                        {"text", problem.text},
                        {"since", problem.since_unix}});
  }
  return problems;
}

Json vrrp_json(const model::VrrpInstance& instance, const Snapshot& all) {
  Json addresses = Json::array();
  for (const model::VirtualAddress& virtual_address : instance.all_addresses()) {
    const base::Ip& address = virtual_address.ip;
    const auto lease = all.lease_seconds.find(address.str());
    const bool leased = lease != all.lease_seconds.end() && lease->second > 0;
    const auto entry = all.tables->leases.find(address);
    addresses.push_back({{"address", address.str()},
                         {"fenced", !leased},
                         {"lease_seconds", leased ? lease->second : 0.0},
                         {"served_here", entry != all.tables->leases.end() && entry->second.served_here}});
  }
  const auto found = all.vrrp.find(instance.name);
  const ipc::VrrpReport report = found == all.vrrp.end() ? ipc::VrrpReport{} : found->second;
  return {{"name", instance.name},
          {"interface", instance.interface},
          {"virtual_router_id", instance.virtual_router_id},
          {"state", ipc::name(report.state)},
          {"reason", report.reason},
          {"since", report.since_unix},
          {"priority", report.priority != 0 ? report.priority : instance.priority},
          {"configured_priority", instance.priority},
          {"released", report.released},
          {"master", report.master == base::Ip() ? "" : report.master.str()},
          {"virtual_addresses", addresses},
          {"problems", problems_json(report)},
          {"adverts_sent", report.adverts_sent},
          {"adverts_received", report.adverts_received},
          {"adverts_rejected", report.adverts_rejected},
          {"last_rejected", report.last_rejected},
          {"send_errors", report.send_errors}};
}

Json tracker_json(const TrackerStatus& tracker) {
  Json json{{"kind", model::name(tracker.state.kind)},
            {"name", tracker.state.name},
            {"state", !tracker.state.known ? "unknown"
                      : tracker.state.up   ? "up"
                                           : "down"}};
  if (tracker.state.kind == model::TrackerKind::file) json["value"] = tracker.state.value;
  json["since"] = tracker.since_unix;
  json["last_result"] = tracker.result;
  json["last_result_at"] = tracker.result_at_unix;
  return json;
}

const char* health_word(const model::RealServer& real, bool down, const ipc::HealthReport* last) {
  if (real.checks.empty()) return "not checked";
  if (down) return "down";
  if (last == nullptr) return "not yet checked";
  return last->unknown ? "unknown" : "up";
}

// What the packet path knows of a slot, in the same words for configured and draining real servers.
void add_traffic(Json& json, model::Slot slot, const model::RealServerEntry& entry, const Snapshot& all) {
  const auto found = all.slots.find(slot);
  const SlotStatus traffic = found == all.slots.end() ? SlotStatus{} : found->second;
  json["local"] = entry.next_hop.local;
  json["mac"] = entry.next_hop.mac ? entry.next_hop.mac->str() : "";
  json["active_connections"] = traffic.connections.active;
  json["inactive_connections"] = traffic.connections.inactive;
  json["connections"] = traffic.stats.connections;
  json["packets"] = traffic.stats.packets;
  json["bytes"] = traffic.stats.bytes;
}

using Slots = std::map<model::Member, model::Slot>;

Json real_server_json(const model::VirtualServer& server, const model::RealServer& real, const Snapshot& all,
                      const Slots& slots) {
  const model::Member member{server.key, model::key_of(real)};
  const auto found = all.health.find(member);
  const ipc::HealthReport* last = found == all.health.end() ? nullptr : &found->second;
  const auto slot = slots.find(member);
  const model::RealServerEntry* entry = slot == slots.end() ? nullptr : &all.tables->real_servers.at(slot->second);
  const bool down = entry != nullptr && model::is_down(*entry);
  Json json{{"address", real.address.str()},
            {"port", real.port},
            {"weight", real.weight},
            {"health", health_word(real, down, last)},
            {"last_check", last == nullptr ? "" : last->outcome},
            {"last_check_at", last == nullptr ? 0 : last->at_unix}};
  if (entry != nullptr) add_traffic(json, slot->second, *entry, all);
  return json;
}

Json virtual_server_json(const model::VirtualServer& server, const Snapshot& all, const Slots& slots) {
  Json json{{"name", server.name},
            {"protocol", model::name(server.key.protocol)},
            {"family", server.key.is_v6() ? "IPv6" : "IPv4"}};
  if (server.key.mark != 0) {
    json["fwmark"] = server.key.mark;
  } else {
    json["address"] = server.key.address.str();
    json["port"] = server.key.port;
  }
  json["lb_algo"] = model::name(server.scheduler);
  json["hash_port"] = server.hash_port;
  json["ops"] = server.one_packet;
  json["lb_kind"] = "DR";
  json["persistence_timeout"] = base::seconds(server.persistence_timeout);
  json["persistence_granularity"] = server.persistence_prefix;
  json["real_servers"] = Json::array();
  for (const model::RealServer& real : server.real_servers) {
    json["real_servers"].push_back(real_server_json(server, real, all, slots));
  }
  return json;
}

Json draining_json(const Snapshot& all) {
  Json list = Json::array();
  for (const auto& [member, slot] : model::removed_members(*all.config, *all.tables)) {
    Json json{{"virtual_server", member.virtual_server.str()},
              {"address", member.real_server.address.str()},
              {"port", member.real_server.port}};
    add_traffic(json, slot, all.tables->real_servers.at(slot), all);
    list.push_back(json);
  }
  return list;
}

Json verdicts_json(const xd_counters& counters) {
  Json json = Json::object();
#define XD_ADD(name, action, meaning) json[#name] = counters.name;
  XD_VERDICTS(XD_ADD)
#undef XD_ADD
  return json;
}

}  // namespace

Json status_json(const Snapshot& all) {
  Json json{
      {"version", XDIRECTOR_VERSION}, {"router_id", all.config->router_id}, {"now", all.now_unix},
      {"started", all.started_unix},  {"config_file", all.config_file},     {"config_loaded", all.config_loaded_unix}};
  json["last_reload"] = {{"at", all.reload.at_unix}, {"ok", all.reload.ok}, {"errors", all.reload.errors}};
  json["workers"] = Json::object();
  for (const auto& [name, worker] : all.workers) {
    json["workers"][name] = {{"pid", worker.pid}, {"restarts", worker.restarts}};
  }
  json["interfaces"] = Json::array();
  for (const InterfaceStatus& interface : all.interfaces) {
    json["interfaces"].push_back({{"name", interface.name},
                                  {"mode", interface.mode},
                                  {"multi_buffer", interface.multi_buffer},
                                  {"carrier", interface.carrier},
                                  {"warnings", interface.warnings}});
  }
  json["fence"] = {{"state", all.fence_problems.empty() ? "complete" : "partial"}, {"problems", all.fence_problems}};
  json["peer_directors"] = Json::array();
  for (const auto& [address, mac] : all.peer_directors) {
    json["peer_directors"].push_back({{"address", address.str()}, {"mac", mac ? mac->str() : ""}});
  }
  json["vrrp_instances"] = Json::array();
  for (const model::VrrpInstance& instance : all.config->vrrp_instances) {
    json["vrrp_instances"].push_back(vrrp_json(instance, all));
  }
  json["trackers"] = Json::array();
  for (const TrackerStatus& tracker : all.trackers) json["trackers"].push_back(tracker_json(tracker));
  json["other_virtual_routers"] = Json::array();
  for (const WireRouter& router : all.other_routers) {
    json["other_virtual_routers"].push_back({{"interface", router.interface},
                                             {"virtual_router_id", router.virtual_router_id},
                                             {"family", router.sender.is_v6() ? "IPv6" : "IPv4"},
                                             {"sender", router.sender.str()},
                                             {"priority", router.priority}});
  }
  const Slots slots = model::slots_by_member(*all.tables);
  json["virtual_servers"] = Json::array();
  for (const model::VirtualServer& server : all.config->virtual_servers) {
    json["virtual_servers"].push_back(virtual_server_json(server, all, slots));
  }
  json["draining"] = draining_json(all);
  json["verdicts"] = verdicts_json(all.counters);
  return json;
}

std::string status_document(const Snapshot& all) {
  return status_json(all).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace control
