// SPDX-License-Identifier: Apache-2.0
// An entry that keepalived writes in one line, "192.168.1.1/24 dev eth0 label eth0:1", may be copied as a text. It
// becomes the object that says the same, so that both are read, and judged, in one place.
#pragma once

#include <span>
#include <string_view>

#include "config/reader.hpp"

namespace config {

// A word of such a line and the key it stands for.
struct InlineWord {
  enum class Means { text, number, yes, no };  // what follows the word; the last two: nothing, it is true or false

  std::string_view word;
  std::string_view key;
  Means means = Means::text;
};

struct InlineForm {
  std::string_view first;  // the key of the word that stands alone
  std::span<const InlineWord> words;
  std::string_view example;
};

// The object that the text `value` stands for; it notes words that are not known and those that lack their value.
Node spelled_out(const Value& value, const InlineForm& form);

// Reads an object, or the text that stands for it, by `read`.
template <typename Read>
auto read_entry(const Value& value, const InlineForm& form, const Read& read) {
  if (value.node.kind == Node::Kind::object) return read(value);
  if (value.node.kind == Node::Kind::text) {
    const Node object = spelled_out(value, form);
    return read(Value{object, value.path, value.problems});
  }
  value.unexpected("a text such as " + quoted(form.example) + ", or an object { ... }");
  return decltype(read(value)){};
}

}  // namespace config
