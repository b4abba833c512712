// SPDX-License-Identifier: Apache-2.0
#include "config/inline_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "config/known_keys.hpp"

namespace config {
namespace {

Node text_node(Position position, std::string text) {
  return {.kind = Node::Kind::text, .position = position, .text = std::move(text)};
}

// What is no number stays a text, and the reader says what it expected.
Node number_node(Position position, std::string text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return text_node(position, std::move(text));
  return {.kind = Node::Kind::number, .position = position, .number = number, .text = std::move(text)};
}

std::string unknown_word(const std::string& word, const InlineForm& form) {
  std::vector<std::string_view> known;
  known.reserve(form.words.size());
  for (const InlineWord& one : form.words) known.push_back(one.word);
  return unknown_key(word, known);
}

}  // namespace

Node spelled_out(const Value& value, const InlineForm& form) {
  using enum InlineWord::Means;
  const Position at = value.node.position;
  Node object{.kind = Node::Kind::object, .position = at};
  auto add = [&](std::string_view key, Node node) {
    object.members.push_back({std::string(key), at, std::move(node)});
  };
  std::istringstream words(value.node.text);
  bool has_first = false;
  for (std::string word; words >> word;) {
    const auto known = std::ranges::find(form.words, word, &InlineWord::word);
    if (known == form.words.end()) {
      if (has_first) {
        value.wrong(unknown_word(word, form));
        break;
      }
      has_first = true;
      add(form.first, text_node(at, word));
    } else if (known->means == yes || known->means == no) {
      add(known->key, {.kind = Node::Kind::boolean, .position = at, .boolean = known->means == yes});
    } else if (std::string argument; words >> argument) {
      add(known->key, known->means == number ? number_node(at, argument) : text_node(at, argument));
    } else {
      value.wrong(fmt::format("{} ends the text; expected what it says, as in {}", quoted(word), quoted(form.example)));
    }
  }
  return object;
}

}  // namespace config
