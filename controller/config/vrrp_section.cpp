// SPDX-License-Identifier: Apache-2.0
// An element of `vrrp_instances`.
#include "config/sections.hpp"

namespace config {
namespace {

// Behind IPv6's header and VRRP's in 1500 bytes; advertisements must not be fragmented.
constexpr size_t kMostAddressesV6 = 90;

std::vector<model::VirtualAddress> virtual_addresses(Object& instance) {
  const std::optional<Value> list = instance.require("virtual_ipaddress", "a list of IP addresses");
  auto addresses = elements(list, virtual_address);
  const bool is_list = list && list->node.kind == Node::Kind::list;
  if (is_list && addresses.empty()) list->wrong("the list is empty; expected at least one IP address");
  const bool v6 = !addresses.empty() && addresses.front().ip != base::Ip() && addresses.front().ip.is_v6();
  if (const size_t limit = v6 ? kMostAddressesV6 : 255; addresses.size() > limit) {
    list->wrong("an advertisement holds no more than " + std::to_string(limit) +
                " addresses; put the others into \"virtual_ipaddress_excluded\"");
  }
  return addresses;
}

}  // namespace

model::VrrpInstance vrrp_instance(const Value& value, const VrrpGlobals& globals) {
  Object object(value);
  model::VrrpInstance instance;
  instance.name = object.required<std::string>("name", kName);
  const Choice<model::InitialState> state{
      .words = {{"MASTER", model::InitialState::master}, {"BACKUP", model::InitialState::backup}}};
  instance.state = object.optional<model::InitialState>("state", state, model::InitialState::backup);
  instance.interface = object.required<std::string>("interface", InterfaceName());
  instance.virtual_router_id = object.required<uint8_t>("virtual_router_id", Whole{1, 255});
  instance.priority = object.optional<uint8_t>("priority", Whole{1, 255}, 100);
  instance.nopreempt = object.optional<bool>("nopreempt", Flag(), false);
  instance.preempt_delay = object.optional<base::Duration>("preempt_delay", Seconds{0, 1000}, base::Duration());
  instance.virtual_addresses = virtual_addresses(object);
  instance.excluded_addresses = object.list("virtual_ipaddress_excluded", virtual_address);
  instance.virtual_routes = object.list("virtual_routes", virtual_route);
  read_transport(object, globals, instance);
  object.close();
  return instance;
}

}  // namespace config
