// SPDX-License-Identifier: Apache-2.0
// An element of `vrrp_instances`.
#include "config/sections.hpp"

namespace config {
namespace {

// Version 2 carries whole seconds in one byte.
struct AdvertInterval {
  static constexpr Whole kWhole{1, 255};

  std::string allowed() const { return kWhole.allowed(); }
  std::optional<int64_t> operator()(const Value& value) const {
    const double number = value.node.number;
    if (value.node.kind == Node::Kind::number && number > 0 && number < 255 && number != static_cast<int>(number)) {
      value.wrong(value.node.text + " needs version 3 of VRRP, which is not supported yet; expected " + allowed() +
                  " (seconds)");
      return std::nullopt;
    }
    return kWhole(value);
  }
};

// The password; empty without authentication.
std::string authentication(Object& instance) {
  const std::optional<Value> value = instance.find("authentication");
  if (!value) return {};
  Object object(*value);
  const Choice<bool> type{.words = {{"PASS", true}},
                          .refused = {{"AH", "not supported; use \"PASS\", or leave \"authentication\" out"}}};
  object.required<bool>("auth_type", type);
  auto password = object.required<std::string>("auth_pass", Password());
  object.close();
  return password;
}

std::vector<model::VirtualAddress> virtual_addresses(Object& instance) {
  const std::optional<Value> list = instance.require("virtual_ipaddress", "a list of IPv4 addresses");
  auto addresses =
      elements(list, [](const Value& element) { return VirtualAddress()(element).value_or(base::Ipv4()); });
  const bool is_list = list && list->node.kind == Node::Kind::list;
  if (is_list && addresses.empty()) list->wrong("the list is empty; expected at least one IPv4 address");
  if (addresses.size() > 255) list->wrong("an advertisement holds no more than 255 addresses; use several instances");
  return {addresses.begin(), addresses.end()};
}

}  // namespace

model::VrrpInstance vrrp_instance(const Value& value) {
  Object object(value);
  model::VrrpInstance instance;
  instance.name = object.required<std::string>("name", kName);
  const Choice<model::InitialState> state{
      .words = {{"MASTER", model::InitialState::master}, {"BACKUP", model::InitialState::backup}}};
  instance.state = object.optional<model::InitialState>("state", state, model::InitialState::backup);
  instance.interface = object.required<std::string>("interface", InterfaceName());
  instance.virtual_router_id = object.required<uint8_t>("virtual_router_id", Whole{1, 255});
  if (object.find("mcast_src_ip")) instance.source = object.required<base::Ipv4>("mcast_src_ip", Ipv4HostAddress());
  instance.priority = object.optional<uint8_t>("priority", Whole{1, 255}, 100);
  instance.advert_int = std::chrono::seconds(object.optional<uint8_t>("advert_int", AdvertInterval(), 1));
  instance.nopreempt = object.optional<bool>("nopreempt", Flag(), false);
  instance.auth_pass = authentication(object);
  instance.virtual_addresses = virtual_addresses(object);
  object.close();
  return instance;
}

}  // namespace config
