// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ranges>

#include "config/known_keys.hpp"

namespace config {
namespace {

std::string_view kind_name(Node::Kind kind) {
  constexpr std::array<std::string_view, 6> kNames{"null",   "true or false", "a number",
                                                   "a text", "a list",        "an object"};
  return kNames.at(static_cast<size_t>(kind));
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  const std::string bare = text.substr(0, text.find_first_of("/% "));
  return inet_pton(AF_INET6, bare.c_str(), &address) == 1;
}

std::string why_no_address(const std::string& text) {
  if (is_ipv6(text) && text.contains('%')) {
    return fmt::format("{} names an interface; expected an address that means the same on every interface",
                       quoted(text));
  }
  // ::ffff:10.0.0.1 is the one notation of IPv6 that Ip refuses.
  in6_addr bytes{};
  if (inet_pton(AF_INET6, text.c_str(), &bytes) == 1) {
    return fmt::format("{} is an IPv4 address in the notation of IPv6; write \"{}\"", quoted(text),
                       base::Ip::from_network(&bytes, sizeof bytes)->str());
  }
  return fmt::format(
      "{} is not an IP address; expected one such as 192.168.100.111 or 2001:db8::111 (names are not "
      "looked up)",
      quoted(text));
}

std::optional<base::Ip> host_address(const Value& value, const std::string& text) {
  const auto address = base::Ip::parse(text);
  if (!address) {
    value.wrong(why_no_address(text));
    return std::nullopt;
  }
  if (const std::string_view why = base::why_no_host_address(*address); !why.empty()) {
    value.wrong(fmt::format("{} is {}; expected an address that a host can have", text, why));
    return std::nullopt;
  }
  return address;
}

std::optional<base::Ipv4> ipv4_host_address(const Value& value, const std::string& text) {
  if (is_ipv6(text)) {
    value.wrong(
        fmt::format("IPv6 is not supported yet in VRRP ({}); expected {}", quoted(text), Ipv4HostAddress().allowed()));
    return std::nullopt;
  }
  const auto address = host_address(value, text);
  return address ? std::optional(address->v4()) : std::nullopt;
}

}  // namespace

// --- Problems ---

void Problems::add(Severity severity, Position position, std::string path, std::string message) {
  found_.emplace(std::pair(severity, position),
                 Diagnostic{severity, file_, position, std::move(path), std::move(message)});
}

bool Problems::has_error_around(std::string_view path) const {
  return std::ranges::any_of(found_ | std::views::values, [&](const Diagnostic& d) {
    const bool related = path.starts_with(d.path) || d.path.starts_with(path);
    return d.severity == Severity::error && !d.path.empty() && related;
  });
}

std::vector<Diagnostic> Problems::take() {
  std::vector<Diagnostic> result;
  for (Diagnostic& diagnostic : found_ | std::views::values) result.push_back(std::move(diagnostic));
  found_.clear();
  return result;
}

// --- Value ---

void Value::wrong(std::string message) const {
  problems.add(Severity::error, node.position, path, std::move(message));
}

void Value::unexpected(std::string_view expected) const {
  wrong(fmt::format("found {}; expected {}", kind_name(node.kind), expected));
}

// --- Object ---

Object::Object(const Value& value) : value_(value), is_object_(value.node.kind == Node::Kind::object) {
  if (!is_object_) value_.unexpected("an object { ... }");
}

std::string Object::path_of(std::string_view key) const {
  return value_.path.empty() ? std::string(key) : fmt::format("{}.{}", value_.path, key);
}

std::optional<Value> Object::find(std::string_view key) {
  known_.push_back(key);
  for (const Member& member : value_.node.members) {
    if (member.key == key) return Value{member.value, path_of(key), value_.problems};
  }
  return std::nullopt;
}

std::optional<Value> Object::require(std::string_view key, std::string_view expected) {
  std::optional<Value> value = find(key);
  if (!value && is_object_) value_.wrong(fmt::format("\"{}\" is missing; expected {}", key, expected));
  return value;
}

void Object::close() {
  std::vector<const Member*> by_key;
  by_key.reserve(value_.node.members.size());
  for (const Member& member : value_.node.members) by_key.push_back(&member);
  std::ranges::sort(by_key, {},
                    [](const Member* m) { return std::pair<std::string_view, Position>(m->key, m->position); });
  for (size_t i = 0; i < by_key.size(); ++i) {
    const Member& member = *by_key[i];
    const bool again = i > 0 && by_key[i - 1]->key == member.key;
    if (again) {
      value_.problems.add(Severity::error, member.position, value_.path,
                          fmt::format("{} is given twice, first in line {}; keep one", quoted(member.key),
                                      by_key[i - 1]->position.line));
    } else if (std::ranges::find(known_, member.key) == known_.end()) {
      value_.problems.add(Severity::error, member.position, value_.path, unknown_key(member.key, known_));
    }
  }
}

// --- Readers of single values ---

std::string Whole::allowed() const {
  return fmt::format("a whole number from {} to {}", min, max);
}

std::optional<int64_t> Whole::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::number) {
    value.unexpected(allowed());
    return std::nullopt;
  }
  const double number = value.node.number;
  if (number < static_cast<double>(min) || number > static_cast<double>(max) || number != std::trunc(number)) {
    value.wrong(fmt::format("{} is not allowed; expected {}", value.node.text, allowed()));
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

std::string Seconds::allowed() const {
  return fmt::format("{} to {} seconds{}", min, max, why);
}

std::optional<base::Duration> Seconds::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::number) {
    value.unexpected(allowed());
    return std::nullopt;
  }
  if (value.node.number < min || value.node.number > max) {
    value.wrong(fmt::format("{} is not allowed; expected {}", value.node.text, allowed()));
    return std::nullopt;
  }
  return base::from_seconds(value.node.number);
}

std::optional<bool> Flag::operator()(const Value& value) const {
  if (value.node.kind == Node::Kind::boolean) return value.node.boolean;
  value.unexpected(allowed());
  return std::nullopt;
}

std::string Text::allowed() const {
  return fmt::format("a text of 1 to {} characters", longest);
}

std::optional<std::string> Text::operator()(const Value& value) const {
  const std::string& text = value.node.text;
  if (value.node.kind != Node::Kind::text) {
    value.unexpected(allowed());
  } else if (text.empty()) {
    value.wrong("the text is empty; expected " + allowed());
  } else if (text.size() > longest) {
    value.wrong(fmt::format("{} is too long; expected {}", quoted(text), allowed()));
  } else if (!is_printable(text)) {
    value.wrong(fmt::format("{} has control characters; expected {}", quoted(text), allowed()));
  } else {
    return text;
  }
  return std::nullopt;
}

std::optional<std::string> Password::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::text) {
    value.unexpected(allowed());
  } else if (value.node.text.empty()) {
    value.wrong("the password is empty; expected " + allowed());
  } else if (!is_printable(value.node.text)) {
    value.wrong("the password has control characters; expected " + allowed());
  } else {
    return value.node.text;
  }
  return std::nullopt;
}

std::optional<std::string> InterfaceName::operator()(const Value& value) const {
  const std::string& name = value.node.text;
  if (value.node.kind != Node::Kind::text) {
    value.unexpected(allowed());
    return std::nullopt;
  }
  const bool legal = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." && is_printable(name) &&
                     name.find_first_of("/: ") == std::string::npos;
  if (!legal) {
    value.wrong(
        fmt::format("{} cannot be the name of a network interface; expected 1 to {} characters without / : "
                    "and space",
                    quoted(name), IFNAMSIZ - 1));
    return std::nullopt;
  }
  return name;
}

std::optional<base::Ip> HostAddress::operator()(const Value& value) const {
  if (value.node.kind == Node::Kind::text) return host_address(value, value.node.text);
  value.unexpected(allowed());
  return std::nullopt;
}

std::optional<base::Ipv4> Ipv4HostAddress::operator()(const Value& value) const {
  if (value.node.kind == Node::Kind::text) return ipv4_host_address(value, value.node.text);
  value.unexpected(allowed());
  return std::nullopt;
}

std::optional<base::Ipv4> VirtualAddress::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::text || is_ipv6(value.node.text)) return Ipv4HostAddress()(value);
  const std::string& text = value.node.text;
  const size_t end = std::min(text.find_first_of("/ "), text.size());
  const std::string rest = text.substr(end);
  if (!rest.empty() && rest != "/32") {
    value.wrong(
        fmt::format("{} after the address is not supported yet; expected the address alone (it is added as /32 "
                    "on the instance's interface)",
                    quoted(rest)));
    return std::nullopt;
  }
  return ipv4_host_address(value, text.substr(0, end));
}

}  // namespace config
