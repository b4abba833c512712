// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
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

std::optional<base::Ip> any_address(const Value& value, const std::string& text) {
  const auto address = base::Ip::parse(text);
  if (!address) value.wrong(why_no_address(text));
  return address;
}

enum class LinkLocal { refused, allowed };

std::optional<base::Ip> host_address(const Value& value, const std::string& text, LinkLocal link_local) {
  const auto address = any_address(value, text);
  if (!address || (link_local == LinkLocal::allowed && base::is_link_local_v6(*address))) return address;
  const std::string_view why = base::why_no_host_address(*address);
  if (why.empty()) return address;
  value.wrong(fmt::format("{} is {}; expected an address that a host can have", text, why));
  return std::nullopt;
}

// What is behind the slash; 0 is no length.
std::optional<uint8_t> prefix_length(const Value& value, std::string_view digits, const base::Ip& address, int min) {
  int length = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (whole && length >= min && length <= address.bits()) return static_cast<uint8_t>(length);
  value.wrong(fmt::format("the prefix length {} is not allowed; expected a whole number from {} to {}", quoted(digits),
                          min, address.bits()));
  return std::nullopt;
}

bool has_host_bits(const Prefix& prefix) {
  const std::span<const uint8_t> bytes = prefix.ip.network();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int network_bits = std::clamp(prefix.length - static_cast<int>(8 * i), 0, 8);
    if ((bytes[i] & (0xff >> network_bits)) != 0) return true;
  }
  return false;
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
  if (value.node.kind == Node::Kind::text) return host_address(value, value.node.text, LinkLocal::refused);
  value.unexpected(allowed());
  return std::nullopt;
}

std::optional<base::Ip> InterfaceAddress::operator()(const Value& value) const {
  if (value.node.kind == Node::Kind::text) return host_address(value, value.node.text, LinkLocal::allowed);
  value.unexpected(allowed());
  return std::nullopt;
}

std::optional<Prefix> AddressWithPrefix::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::text) {
    value.unexpected(allowed());
    return std::nullopt;
  }
  const std::string& text = value.node.text;
  const size_t slash = text.find('/');
  const auto address = host_address(value, text.substr(0, slash), LinkLocal::allowed);
  if (!address) return std::nullopt;
  if (slash == std::string::npos) return Prefix{*address, address->bits()};
  const auto length = prefix_length(value, std::string_view(text).substr(slash + 1), *address, 1);
  return length ? std::optional(Prefix{*address, *length}) : std::nullopt;
}

std::optional<Prefix> Network::operator()(const Value& value) const {
  if (value.node.kind != Node::Kind::text) {
    value.unexpected(allowed());
    return std::nullopt;
  }
  const std::string& text = value.node.text;
  if (text == "default") return Prefix{base::Ipv4(), 0};
  const size_t slash = text.find('/');
  const auto address = any_address(value, text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string::npos) return Prefix{*address, address->bits()};
  const auto length = prefix_length(value, std::string_view(text).substr(slash + 1), *address, 0);
  if (!length) return std::nullopt;
  const Prefix network{*address, *length};
  if (!has_host_bits(network)) return network;
  value.wrong(
      fmt::format("{} has bits of a host beyond its prefix length; the kernel takes networks only", quoted(text)));
  return std::nullopt;
}

}  // namespace config
