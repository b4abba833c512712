// SPDX-License-Identifier: Apache-2.0
// An element of `vrrp_instances`.
#include <fmt/format.h>

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

// `use_vmac`: true, or the name that the macvlan shall have.
void read_vmac(Object& object, model::VrrpInstance& instance) {
  const std::optional<Value> vmac = object.find("use_vmac"), base = object.find("vmac_xmit_base");
  if (vmac && vmac->node.kind == Node::Kind::text) {
    instance.use_vmac = true;
    instance.vmac_name = InterfaceName()(*vmac).value_or("");
  } else if (vmac && vmac->node.kind != Node::Kind::boolean) {
    vmac->unexpected("true, or a name for the interface");
  } else if (vmac && vmac->node.boolean) {
    instance.use_vmac = true;
    instance.vmac_name = fmt::format("{}.{}", instance.is_v6() ? "vrrp6" : "vrrp", instance.virtual_router_id);
  }
  instance.vmac_base = base && Flag()(*base).value_or(false);
  if (instance.vmac_base && !vmac) base->wrong("goes with \"use_vmac\" only");
  if (instance.use_vmac && !instance.vmac_base && !instance.unicast_peers.empty()) {
    vmac->wrong("together with \"unicast_peer\" it needs \"vmac_xmit_base\": true");
  }
}

void read_accept(Object& object) {
  const std::optional<Value> accept = object.find("accept"), no_accept = object.find("no_accept");
  if (accept && no_accept) no_accept->wrong("is there beside \"accept\"; keep the one you mean");
  bool accepts = !(no_accept && Flag()(*no_accept).value_or(false));
  if (accept) accepts = Flag()(*accept).value_or(true);
  if (!accepts) {
    (accept ? *accept : *no_accept)
        .wrong(
            "not supported: what is sent to the addresses themselves reaches this host; drop it by nftables, in the "
            "hook input (what goes to real servers does not pass there)");
  }
}

// What is done about that which should not be.
void read_judgement(Object& object, model::VrrpInstance& instance) {
  instance.strict_address_list = object.optional<bool>("strict_address_list", Flag(), false);
  instance.check_source_network = object.optional<bool>("check_source_network", Flag(), false);
  instance.farewell = object.optional<bool>("farewell", Flag(), true);
  const Choice<model::AddressLost> lost{
      .words = {{"restore", model::AddressLost::restore}, {"fault", model::AddressLost::fault}}};
  instance.address_lost = object.optional<model::AddressLost>("address_lost", lost, model::AddressLost::restore);
  const auto skip = object.find("skip_check_adv_addr");
  if (skip && Flag()(*skip).value_or(false) && instance.strict_address_list) {
    skip->wrong("contradicts \"strict_address_list\"; keep the one you mean");
  }
}

}  // namespace

model::VrrpInstance vrrp_instance(const Value& value, const VrrpGlobals& globals, const Trackables& trackables) {
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
  read_vmac(object, instance);
  read_accept(object);
  instance.promote_secondaries = object.optional<bool>("promote_secondaries", Flag(), false);
  instance.startup_delay = globals.startup_delay;
  instance.down_timer_adverts = object.optional<int>("down_timer_adverts", Whole{1, 100}, globals.down_timer_adverts);
  read_judgement(object, instance);
  instance.announcements = read_announcements(object, globals);
  instance.track_primary = !object.optional<bool>("dont_track_primary", Flag(), false);
  instance.tracked = read_tracked(object, trackables);
  instance.notify = read_notify(object, globals.script_user);
  object.close();
  return instance;
}

}  // namespace config
