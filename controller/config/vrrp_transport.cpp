// SPDX-License-Identifier: Apache-2.0
// How an instance speaks with its peers: version, interval, checksum, password; by multicast or to unicast peers.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "config/inline_text.hpp"
#include "config/vrrp_sections.hpp"

namespace config {
namespace {

// Version 2 carries whole seconds in one byte, version 3 hundredths in twelve bits.
struct AdvertInterval {
  uint8_t version;  // 0: not known

  std::string allowed() const {
    return version == 2 ? "whole seconds from 1 to 255" : "0.01 to 40.95 seconds, in steps of 0.01";
  }
  std::optional<base::Duration> operator()(const Value& value) const {
    if (value.node.kind != Node::Kind::number) {
      value.unexpected(allowed());
      return std::nullopt;
    }
    if (version == 0) return Seconds{0.01, 255}(value);
    return version == 2 ? whole_seconds(value) : hundredths(value);
  }

 private:
  std::optional<base::Duration> whole_seconds(const Value& value) const {
    const double number = value.node.number;
    const bool whole = number == std::trunc(number);
    if (whole && number >= 1 && number <= 255) return std::chrono::seconds(static_cast<int64_t>(number));
    const bool needs_3 = !whole && number >= 0.01 && number <= 40.95;
    value.wrong(fmt::format("{} {}; expected {}", value.node.text,
                            needs_3 ? "needs \"version\": 3 on all routers: version 2 of VRRP has no fractions"
                                    : "is not allowed with version 2",
                            allowed()));
    return std::nullopt;
  }

  std::optional<base::Duration> hundredths(const Value& value) const {
    const double number = value.node.number * 100, nearest = std::round(number);
    if (nearest >= 1 && nearest <= 4095 && std::abs(number - nearest) < 1e-6) {
      return std::chrono::milliseconds(10 * static_cast<int64_t>(nearest));
    }
    value.wrong(fmt::format("{} is not allowed with version 3; expected {}", value.node.text, allowed()));
    return std::nullopt;
  }
};

enum class Family { unknown, v4, v6 };

// That of the virtual addresses; unknown where the first could not be read.
Family family(const model::VrrpInstance& instance) {
  if (instance.virtual_addresses.empty() || instance.virtual_addresses.front().ip == base::Ip()) return Family::unknown;
  return instance.is_v6() ? Family::v6 : Family::v4;
}

// An address that must be of the family of the instance's addresses.
struct OfFamily {
  const model::VrrpInstance& instance;

  std::string allowed() const { return InterfaceAddress().allowed(); }
  std::optional<base::Ip> operator()(const Value& value) const {
    const auto address = InterfaceAddress()(value);
    if (address && family(instance) != Family::unknown && address->is_v6() != instance.is_v6()) {
      value.wrong(fmt::format("{} is {}, but the virtual addresses are {}", address->str(),
                              address->is_v6() ? "IPv6" : "IPv4", instance.is_v6() ? "IPv6" : "IPv4"));
      return std::nullopt;
    }
    return address;
  }
};

constexpr auto kPeerWords = std::to_array<InlineWord>({
    {"min_ttl", "min_ttl", InlineWord::Means::number},
    {"max_ttl", "max_ttl", InlineWord::Means::number},
});
constexpr InlineForm kPeerForm{.first = "address", .words = kPeerWords, .example = "192.168.1.2 min_ttl 255"};

model::UnicastPeer peer_object(const Value& value, const model::VrrpInstance& instance) {
  Object object(value);
  model::UnicastPeer peer;
  peer.address = object.required<base::Ip>("address", OfFamily{instance});
  peer.min_ttl = object.optional<uint8_t>("min_ttl", Whole{0, 255}, peer.min_ttl);
  peer.max_ttl = object.optional<uint8_t>("max_ttl", Whole{0, 255}, peer.max_ttl);
  if (peer.min_ttl > peer.max_ttl) value.wrong("\"min_ttl\" is greater than \"max_ttl\"");
  object.close();
  return peer;
}

// The password; empty without authentication.
std::string authentication(Object& instance, uint8_t version) {
  const std::optional<Value> value = instance.find("authentication");
  if (!value) return {};
  Object object(*value);
  const Choice<bool> type{.words = {{"PASS", true}},
                          .refused = {{"AH", "not supported; use \"PASS\", or leave \"authentication\" out"}}};
  object.required<bool>("auth_type", type);
  auto password = object.required<std::string>("auth_pass", Password());
  object.close();
  if (version == 3) value->wrong("version 3 of VRRP has no authentication; remove it, on all routers");
  return password;
}

void read_peers(Object& object, model::VrrpInstance& instance) {
  const std::optional<Value> multicast = object.find("mcast_src_ip"), unicast = object.find("unicast_src_ip");
  const std::optional<Value> ttl = object.find("unicast_ttl"), peers = object.find("unicast_peer");
  if (multicast) instance.source = OfFamily{instance}(*multicast).value_or(base::Ip());
  if (unicast) instance.source = OfFamily{instance}(*unicast).value_or(base::Ip());
  if (multicast && unicast) unicast->wrong("is there beside \"mcast_src_ip\"; keep the one you mean");
  constexpr Whole kTtl{1, 255};
  if (ttl) instance.unicast_ttl = static_cast<uint8_t>(kTtl(*ttl).value_or(instance.unicast_ttl));
  instance.unicast_peers = elements(peers, [&](const Value& element) {
    return read_entry(element, kPeerForm, [&](const Value& peer) { return peer_object(peer, instance); });
  });
  if (peers && peers->node.kind == Node::Kind::list && instance.unicast_peers.empty()) {
    peers->wrong("the list is empty; give the peers' addresses, or remove it to speak by multicast");
  }
  if (peers) return;
  constexpr const char* kNeedsPeers = "goes with \"unicast_peer\" only";
  if (unicast) unicast->wrong(std::string(kNeedsPeers) + "; by multicast it is called \"mcast_src_ip\"");
  if (ttl) ttl->wrong(kNeedsPeers);
}

// The version, which IPv6 demands to be 3 and else is the file's; 0: it is not known.
uint8_t read_version(Object& object, Family family, const VrrpGlobals& globals) {
  const std::optional<Value> value = object.find("version");
  if (!value && family == Family::unknown) return 0;
  if (!value) return family == Family::v6 ? 3 : globals.version.value_or(2);
  const auto version = static_cast<uint8_t>(kVrrpVersion(*value).value_or(0));
  if (family == Family::v6 && version == 2) value->wrong("version 2 of VRRP knows IPv4 only; IPv6 has version 3");
  return version;
}

}  // namespace

void read_transport(Object& object, const VrrpGlobals& globals, model::VrrpInstance& instance) {
  instance.version = read_version(object, family(instance), globals);
  const std::chrono::seconds second(1);
  instance.advert_int = object.optional<base::Duration>("advert_int", AdvertInterval{instance.version}, second);
  const auto longest = object.find("longest_advert_int");
  if (longest) {
    constexpr Seconds kLongest{0.01, 40.95};
    instance.longest_advert_int = kLongest(*longest).value_or(base::Duration());
    if (instance.version == 2) longest->wrong("in version 2 all routers have the same advert_int; remove it");
  }
  const Choice<model::Checksum> checksum{
      .words = {{"rfc5798", model::Checksum::pseudo_header}, {"rfc9568", model::Checksum::message_only}}};
  if (const auto value = object.find("checksum")) {
    instance.checksum = checksum(*value).value_or(model::Checksum::pseudo_header);
    if (instance.version == 2 || family(instance) == Family::v6)
      value->wrong("only version 3 on IPv4 has two readings; remove it");
  }
  instance.auth_pass = authentication(object, instance.version);
  read_peers(object, instance);
}

}  // namespace config
