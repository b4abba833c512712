// SPDX-License-Identifier: Apache-2.0
// An element of `port_marks`: what an iptables rule with MARK --set-mark says.
#include <fmt/format.h>

#include <charconv>

#include "config/sections.hpp"

namespace config {
namespace {

struct PortRange {
  uint16_t first = 0, last = 0;
};

std::optional<uint16_t> port(std::string_view text) {
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

struct Ports {
  std::string allowed() const { return "a text, \"9814\" or \"8000-10000\", of ports from 1 to 65535"; }

  std::optional<PortRange> operator()(const Value& value) const {
    if (value.node.kind != Node::Kind::text) {
      value.unexpected(allowed());
      return std::nullopt;
    }
    const std::string_view text = value.node.text;
    const size_t dash = text.find('-');
    const auto first = port(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
    if (!first || !last) {
      value.wrong(fmt::format("{} is neither a port nor a range of ports; expected {}", quoted(text), allowed()));
      return std::nullopt;
    }
    if (*first > *last) {
      value.wrong(fmt::format("the range {} is reversed; write \"{}-{}\"", quoted(text), *last, *first));
      return std::nullopt;
    }
    return PortRange{*first, *last};
  }
};

}  // namespace

model::PortMark port_mark(const Value& value) {
  Object object(value);
  model::PortMark rule;
  rule.mark = object.required<uint32_t>("mark", kMark);
  rule.address = object.required<base::Ip>("address", HostAddress());
  rule.protocol = object.optional<model::Protocol>("protocol", protocol(), model::Protocol::tcp);
  const auto ports = object.required<PortRange>("ports", Ports());
  rule.first_port = ports.first;
  rule.last_port = ports.last;
  object.close();
  return rule;
}

}  // namespace config
