// SPDX-License-Identifier: Apache-2.0
// Commands: what is run, and as whom. No shell reads them.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "config/vrrp_sections.hpp"

namespace config {
namespace {

struct Argument {
  std::string text;
  bool quoted = false;
};

// Blanks separate; quotes of either kind hold together; a backslash takes the next character as it is. Nothing: a quote
// is open at the end.
std::optional<std::vector<Argument>> split(std::string_view text) {
  std::vector<Argument> arguments;
  bool within = false;
  char quote = 0;
  auto current = [&]() -> Argument& {
    if (!within) arguments.emplace_back();
    within = true;
    return arguments.back();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      current().text += text[++i];
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      current().quoted = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      within = false;
    } else {
      current().text += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return arguments;
}

// What only a shell understands: "|", "&&", ">/dev/null", "2>&1", "`date`", "$(date)".
bool is_for_a_shell(const Argument& argument) {
  const std::string& text = argument.text;
  if (argument.quoted || text.empty()) return false;
  return std::string_view("|&;<>").contains(text.front()) || text.starts_with("2>") || text.contains('`') ||
         text.contains("$(");
}

std::optional<std::vector<Argument>> arguments_of(const Value& value, const std::string& allowed) {
  if (value.node.kind == Node::Kind::text) {
    auto arguments = split(value.node.text);
    if (!arguments) value.wrong(fmt::format("{} has a quote that does not end", quoted(value.node.text)));
    return arguments;
  }
  if (value.node.kind != Node::Kind::list) {
    value.unexpected(allowed);
    return std::nullopt;
  }
  constexpr Text kArgument{4096};
  bool all_read = true;
  auto arguments = elements(value, [&](const Value& element) {
    auto text = kArgument(element);
    all_read = all_read && text;
    return Argument{text.value_or(""), true};
  });
  return all_read ? std::optional(std::move(arguments)) : std::nullopt;
}

// `notify`: a command line, or an object that names the user, too.
model::Command command(const Value& value, const ScriptUser& otherwise) {
  model::Command command{.arguments = {}, .user = otherwise.user, .group = otherwise.group};
  if (value.node.kind != Node::Kind::object) {
    command.arguments = CommandLine()(value).value_or(std::vector<std::string>());
    return command;
  }
  Object object(value);
  command.arguments = object.required<std::vector<std::string>>("script", CommandLine());
  const ScriptUser user = object.optional<ScriptUser>("user", UserAndGroup(), otherwise);
  command.user = user.user;
  command.group = user.group;
  object.close();
  return command;
}

}  // namespace

std::optional<ScriptUser> UserAndGroup::operator()(const Value& value) const {
  constexpr Text kNames{128};
  const auto text = kNames(value);
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  ScriptUser user;
  std::string more;
  words >> user.user >> user.group;
  if (!user.user.empty() && !(words >> more)) return user;
  value.wrong(fmt::format("{} is not allowed; expected {}", quoted(*text), allowed()));
  return std::nullopt;
}

std::optional<std::vector<std::string>> CommandLine::operator()(const Value& value) const {
  const auto arguments = arguments_of(value, allowed());
  if (!arguments) return std::nullopt;
  if (arguments->empty() || !arguments->front().text.starts_with('/')) {
    value.wrong(fmt::format("{} is no whole path; expected {}, such as \"/usr/bin/killall -0 haproxy\"",
                            quoted(arguments->empty() ? "" : arguments->front().text), allowed()));
    return std::nullopt;
  }
  if (const auto found = std::ranges::find_if(*arguments, is_for_a_shell); found != arguments->end()) {
    value.wrong(fmt::format("{} is for a shell, but none reads this; put it into a script, or write /bin/sh -c '...'",
                            quoted(found->text)));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  texts.reserve(arguments->size());
  for (const Argument& argument : *arguments) texts.push_back(argument.text);
  return texts;
}

model::Notify read_notify(Object& object, const ScriptUser& otherwise) {
  auto read = [&](std::string_view key) {
    const auto value = object.find(key);
    return value ? command(*value, otherwise) : model::Command();
  };
  return {.any = read("notify"),
          .master = read("notify_master"),
          .backup = read("notify_backup"),
          .fault = read("notify_fault"),
          .stop = read("notify_stop")};
}

}  // namespace config
