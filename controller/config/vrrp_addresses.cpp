// SPDX-License-Identifier: Apache-2.0
// Elements of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `virtual_routes`: objects, or a line of
// keepalived's.
#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <array>

#include "config/inline_text.hpp"
#include "config/vrrp_sections.hpp"

namespace config {
namespace {

constexpr Text kLabel{15};  // IFNAMSIZ - 1, as the kernel has it

Choice<uint8_t> scope() {
  return {.words = {{"global", RT_SCOPE_UNIVERSE},
                    {"site", RT_SCOPE_SITE},
                    {"link", RT_SCOPE_LINK},
                    {"host", RT_SCOPE_HOST},
                    {"nowhere", RT_SCOPE_NOWHERE}}};
}

constexpr auto kAddressWords = std::to_array<InlineWord>({
    {"dev", "dev"},
    {"label", "label"},
    {"brd", "brd"},
    {"broadcast", "brd"},
    {"scope", "scope"},
});
constexpr InlineForm kAddressForm{
    .first = "address", .words = kAddressWords, .example = "192.168.1.1/24 dev eth0 label eth0:1 brd + scope global"};

constexpr auto kRouteWords = std::to_array<InlineWord>({
    {"to", "to"},
    {"via", "via"},
    {"gw", "via"},
    {"dev", "dev"},
    {"oif", "dev"},
    {"src", "src"},
    {"table", "table", InlineWord::Means::number},
    {"metric", "metric", InlineWord::Means::number},
    {"priority", "metric", InlineWord::Means::number},
    {"preference", "metric", InlineWord::Means::number},
    {"scope", "scope"},
    {"onlink", "onlink", InlineWord::Means::yes},
});
constexpr InlineForm kRouteForm{
    .first = "to", .words = kRouteWords, .example = "10.0.0.0/8 via 192.168.1.254 dev eth0 table 100"};

// An address, or "+" and "-": the prefix with all of the host's bits set or cleared.
struct Broadcast {
  Prefix of;

  std::string allowed() const { return "an IPv4 address, \"+\" or \"-\""; }
  std::optional<base::Ipv4> operator()(const Value& value) const {
    if (value.node.kind != Node::Kind::text) {
      value.unexpected(allowed());
      return std::nullopt;
    }
    if (of.ip == base::Ip()) return std::nullopt;  // it could not be read
    if (of.ip.is_v6() || of.length > 30) {
      value.wrong(
          "goes with an IPv4 address and a prefix length of at most 30; remove it, or write that length behind "
          "the address");
      return std::nullopt;
    }
    const uint32_t host_bits = 0xffffffffu >> of.length;
    const uint32_t address = of.ip.v4().host();
    if (value.node.text == "+") return base::Ipv4::from_host(address | host_bits);
    if (value.node.text == "-") return base::Ipv4::from_host(address & ~host_bits);
    const auto broadcast = base::Ipv4::parse(value.node.text);
    if (!broadcast) value.wrong(fmt::format("{} is not allowed; expected {}", quoted(value.node.text), allowed()));
    return broadcast;
  }
};

// The values of keys that may be missing.
std::string interface_name(Object& object, std::string_view key) {
  return object.optional<std::string>(key, InterfaceName(), "");
}

model::VirtualAddress address_object(const Value& value) {
  Object object(value);
  model::VirtualAddress address;
  const Prefix prefix = object.required<Prefix>("address", AddressWithPrefix());
  address.ip = prefix.ip;
  address.prefix_length = prefix.length;
  address.device = interface_name(object, "dev");
  if (const auto label = object.find("label")) {
    address.label = kLabel(*label).value_or("");
    if (prefix.ip != base::Ip() && prefix.ip.is_v6()) label->wrong("IPv6 addresses have no labels; remove it");
  }
  if (const auto broadcast = object.find("brd")) address.broadcast = Broadcast{prefix}(*broadcast);
  address.scope = object.optional<uint8_t>("scope", scope(), RT_SCOPE_UNIVERSE);
  object.close();
  return address;
}

// "default" means the family of the rest.
void set_family(model::VirtualRoute& route) {
  const bool v6 = (route.via && route.via->is_v6()) || (route.source && route.source->is_v6());
  if (route.destination == base::Ipv4() && route.prefix_length == 0 && v6) route.destination = base::Ip();
}

void same_family(const Value& value, const base::Ip& destination, const std::optional<base::Ip>& other) {
  if (!other || other->is_v6() == destination.is_v6()) return;
  value.wrong(fmt::format("{} is not of the destination's family", other->str()));
}

model::VirtualRoute route_object(const Value& value) {
  Object object(value);
  model::VirtualRoute route;
  const auto to = object.required<std::optional<Prefix>>("to", Network());
  if (to) {
    route.destination = to->ip;
    route.prefix_length = to->length;
  }
  const auto via = object.find("via"), source = object.find("src");
  if (via) route.via = InterfaceAddress()(*via);
  if (source) route.source = InterfaceAddress()(*source);
  if (to) {
    set_family(route);
    if (via) same_family(*via, route.destination, route.via);
    if (source) same_family(*source, route.destination, route.source);
  }
  route.device = interface_name(object, "dev");
  route.table = object.optional<uint32_t>("table", Whole{1, 0xffffffff}, 0);
  route.metric = object.optional<uint32_t>("metric", Whole{0, 0xffffffff}, 0);
  // As `ip route` has it: what needs no gateway is on the link.
  route.scope = object.optional<uint8_t>("scope", scope(), via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
  route.on_link = object.optional<bool>("onlink", Flag(), false);
  if (!via && route.device.empty()) value.wrong("neither \"via\" nor \"dev\" says where the route leads");
  object.close();
  return route;
}

}  // namespace

model::VirtualAddress virtual_address(const Value& value) {
  return read_entry(value, kAddressForm, address_object);
}

model::VirtualRoute virtual_route(const Value& value) {
  return read_entry(value, kRouteForm, route_object);
}

}  // namespace config
