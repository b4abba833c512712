// SPDX-License-Identifier: Apache-2.0
#include "config/syntax.hpp"

#include <fmt/format.h>

#include <cctype>

#include "config/diagnostic.hpp"

namespace config {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

size_t skip_space(std::string_view text, size_t offset) {
  return std::min(text.find_first_not_of(kSpace, offset), text.size());
}

bool is_digit(std::string_view text, size_t offset) {
  return offset < text.size() && std::isdigit(static_cast<unsigned char>(text[offset])) != 0;
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || (static_cast<unsigned char>(c) & 0x80) != 0 || c == '_' ||
         c == '-' || c == '.' || c == '+';
}

// The number, name or other run of characters at `offset`, for quoting; bytes beyond ASCII are not trusted.
std::string word_at(std::string_view text, size_t offset) {
  size_t end = offset;
  while (end < text.size() && is_word_character(text[end])) ++end;
  std::string word(text.substr(offset, std::max<size_t>(end - offset, 1)));
  for (char& c : word) {
    if ((static_cast<unsigned char>(c) & 0x80) != 0) c = '?';
  }
  return quoted(word);
}

// What is wrong inside the text (in double quotes) that begins at `begin`.
Explanation broken_text(std::string_view text, size_t begin) {
  for (size_t i = begin + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') break;
    if (static_cast<unsigned char>(c) < 0x20) return {i, "a text cannot hold a control character; write a tab as \\t"};
    if (c == '\\') {
      const char escape = i + 1 < text.size() ? text[i + 1] : '\0';
      constexpr std::string_view kEscapes = "\"\\/bfnrtu";
      if (kEscapes.find(escape) == std::string_view::npos) {
        return {i, "a backslash in a text begins an escape; write a backslash itself as \\\\"};
      }
      ++i;
    } else if (c == '"') {
      return {begin, "the text is not valid: bytes that are not UTF-8, or a broken \\u escape"};
    }
  }
  return {begin, "the text has no closing double quote on its line"};
}

// What is wrong with the token at `offset`, which is not what is `expected`.
Explanation broken_token(std::string_view text, size_t offset, std::string_view expected, std::string_view innermost,
                         bool secret) {
  if (offset == text.size()) {
    return {offset, innermost.empty()
                        ? fmt::format("the file ends here; expected {}", expected)
                        : fmt::format("the file ends here, but {} is still open; expected {}", innermost, expected)};
  }
  const char c = text[offset];
  if (c == '#' || c == '/') return {offset, "JSON has no comments; remove it"};
  if (c == '\'') return {offset, "texts and keys are written in \"double quotes\""};
  if (secret) return {offset, fmt::format("expected {}", expected)};
  if (is_digit(text, offset) || c == '-' || c == '+' || c == '.') {
    return {offset, fmt::format("{} is not a number as JSON writes it; expected {}", word_at(text, offset), expected)};
  }
  if (c == '"') return {offset, fmt::format("unexpected text; expected {}", expected)};
  if (is_word_character(c)) {
    return {offset, fmt::format("unexpected {}; expected {} (texts and keys need double quotes)", word_at(text, offset),
                                expected)};
  }
  return {offset, fmt::format("unexpected {}; expected {}", word_at(text, offset), expected)};
}

bool begins_value(std::string_view text, size_t offset) {
  return offset < text.size() &&
         (is_digit(text, offset) || std::string_view("\"-{[").find(text[offset]) != std::string_view::npos);
}

// Whether it begins as a number does and ends in a digit.
bool is_number(std::string_view text, size_t offset) {
  size_t end = offset;
  while (end < text.size() && is_word_character(text[end])) ++end;
  return is_digit(text, text[offset] == '-' ? offset + 1 : offset) && is_digit(text, end - 1);
}

// A value was to begin at `offset`; `or_else` names what else could have stood there.
Explanation broken_value(std::string_view text, size_t offset, std::string_view or_else, std::string_view innermost,
                         bool secret) {
  if (offset < text.size() && text[offset] == '"') return broken_text(text, offset);
  if (offset < text.size() && !secret && is_number(text, offset)) {
    return {offset, fmt::format("the number {} is too large", word_at(text, offset))};
  }
  return broken_token(text, offset, fmt::format("a value{}", or_else), innermost, secret);
}

Explanation broken_key(std::string_view text, size_t offset, std::string_view or_else, std::string_view innermost) {
  if (offset < text.size() && text[offset] == '"') return broken_text(text, offset);
  return broken_token(text, offset, fmt::format("a key in double quotes{}", or_else), innermost, false);
}

// After a value inside an object or a list that `close` ends.
Explanation broken_sequence(std::string_view text, size_t offset, char close, std::string_view innermost, bool keys,
                            bool secret) {
  if (offset == text.size() || text[offset] != ',') {
    if (begins_value(text, offset)) return {offset, "a comma is missing before this"};
    return broken_token(text, offset, fmt::format("a comma or {}", close), innermost, secret);
  }
  const size_t next = skip_space(text, offset + 1);
  if (next < text.size() && text[next] == close) {
    return {offset, fmt::format("this comma is too much: nothing follows it before the {}", close)};
  }
  return keys ? broken_key(text, next, "", innermost) : broken_value(text, next, "", innermost, secret);
}

// The parser takes 07 for a 0 that ends at `end`, and a 7.
bool has_leading_zero(std::string_view text, size_t end) {
  return text[end - 1] == '0' && is_digit(text, end);
}

}  // namespace

Explanation explain(std::string_view text, size_t end, After after, std::string_view innermost, bool secret) {
  const size_t offset = skip_space(text, end);
  switch (after) {
    case After::nothing:
      if (offset == text.size()) return {offset, "the file is empty; expected { ... }"};
      return broken_value(text, offset, "", innermost, secret);
    case After::object_begin:
      return broken_key(text, offset, " or }", innermost);
    case After::key:
      if (offset == text.size() || text[offset] != ':') {
        if (begins_value(text, offset)) return {offset, "a colon is missing before this"};
        return broken_token(text, offset, "a colon after the key", innermost, secret);
      }
      return broken_value(text, skip_space(text, offset + 1), "", innermost, secret);
    case After::object_value:
      if (has_leading_zero(text, end)) return {offset, "a number has no leading zero"};
      return broken_sequence(text, offset, '}', innermost, true, secret);
    case After::list_begin:
      return broken_value(text, offset, " or ]", innermost, secret);
    case After::list_value:
      if (has_leading_zero(text, end)) return {offset, "a number has no leading zero"};
      return broken_sequence(text, offset, ']', innermost, false, secret);
    case After::document:
      return {offset, "the configuration ended before this; remove what follows, or look for a bracket too many above"};
  }
  return {offset, "not JSON"};
}

}  // namespace config
