// SPDX-License-Identifier: Apache-2.0
// One SAX pass of nlohmann_json, which gives no positions: an iterator counts what the parser has consumed, and each
// token begins at the first character after the one before it that is neither space nor separator.
#include "config/tree.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/syntax.hpp"

namespace config {
namespace {

// Reads the text and counts what has been read.
class CountingIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator() = default;
  CountingIterator(std::string_view::const_iterator at, size_t* consumed) : at_(at), consumed_(consumed) {}

  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*consumed_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  std::string_view::const_iterator at_{};
  size_t* consumed_ = nullptr;
};

// Lines and columns of offsets that only grow.
class Lines {
 public:
  // Characters before `begin` do not count.
  Lines(std::string_view text, size_t begin) : text_(text), offset_(begin) {}

  Position at(size_t offset) {
    for (; offset_ < offset; ++offset_) {
      const auto byte = static_cast<unsigned char>(text_[offset_]);
      if (byte == '\n') {
        position_ = {position_.line + 1, 1};
      } else if ((byte & 0xc0) != 0x80) {  // not the continuation of a UTF-8 character
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  size_t offset_;
  Position position_;
};

// Where the number at `begin`, which the parser has accepted, ends.
size_t number_end(std::string_view text, size_t begin) {
  const auto skip = [&](size_t from, std::string_view any_of) {
    return std::min(text.find_first_not_of(any_of, from), text.size());
  };
  const auto is = [&](size_t at, std::string_view one_of) {
    return at < text.size() && one_of.find(text[at]) != std::string_view::npos;
  };
  constexpr std::string_view kDigits = "0123456789";
  size_t end = is(begin, "-") ? begin + 1 : begin;
  end = is(end, "0") ? end + 1 : skip(end, kDigits);
  if (is(end, ".")) end = skip(end + 1, kDigits);
  if (is(end, "eE")) end = skip(is(end + 1, "+-") ? end + 2 : end + 1, kDigits);
  return end;
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// nlohmann_json's SAX interface. A function that returns false ends the parse.
class Builder {
 public:
  Builder(std::string_view text, const size_t& consumed)
      : text_(text), consumed_(consumed), end_(text.starts_with(kByteOrderMark) ? 3 : 0), lines_(text, end_) {}

  bool null() { return scalar({.kind = Node::Kind::null}, 4); }
  bool boolean(bool value) { return scalar({.kind = Node::Kind::boolean, .boolean = value}, value ? 4 : 5); }
  bool number_integer(int64_t value) { return number(static_cast<double>(value)); }
  bool number_unsigned(uint64_t value) { return number(static_cast<double>(value)); }
  bool number_float(double value, const std::string&) { return number(value); }
  bool binary(const nlohmann::json::binary_t&) { return false; }  // not part of JSON

  bool string(std::string& value) {
    begin_token();
    end_ = consumed_;
    add({.kind = Node::Kind::text, .position = position_, .text = std::move(value)});
    return true;
  }
  bool key(std::string& value) {
    begin_token();
    end_ = consumed_;
    open_.back()->members.push_back({.key = std::move(value), .position = position_, .value = {}});
    after_ = After::key;
    return true;
  }
  bool start_object(size_t) { return start(Node::Kind::object, After::object_begin); }
  bool start_array(size_t) { return start(Node::Kind::list, After::list_begin); }
  bool end_object() { return finish(); }
  bool end_array() { return finish(); }

  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) {
    // The value in hand, or what stands right behind it (a password with a quote in it).
    const bool secret =
        !open_.empty() && !open_.back()->members.empty() && open_.back()->members.back().key.starts_with("auth");
    const std::string innermost =
        open_.empty() ? ""
                      : fmt::format("the {} of line {}", open_.back()->kind == Node::Kind::object ? '{' : '[',
                                    open_.back()->position.line);
    Explanation explanation = explain(text_, end_, after_, innermost, secret);
    error_ = SyntaxError{lines_.at(explanation.offset), std::move(explanation.message)};
    return false;
  }

  std::expected<Node, SyntaxError> result() {
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(root_);
  }

 private:
  void begin_token() {
    start_ = std::min(text_.find_first_not_of(" \t\r\n,:", end_), text_.size());
    position_ = lines_.at(start_);
  }

  bool scalar(Node node, size_t length) {
    begin_token();
    end_ = start_ + length;
    node.position = position_;
    add(std::move(node));
    return true;
  }

  bool number(double value) {
    begin_token();
    end_ = number_end(text_, start_);
    add({.kind = Node::Kind::number,
         .position = position_,
         .number = value,
         .text = std::string(text_.substr(start_, end_ - start_))});
    return true;
  }

  // Puts a value where it belongs. Its address is good until its parent gets another child.
  Node* add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      after_ = After::document;
      return &root_;
    }
    Node& parent = *open_.back();
    after_ = parent.kind == Node::Kind::object ? After::object_value : After::list_value;
    if (parent.kind == Node::Kind::list) return &parent.elements.emplace_back(std::move(node));
    parent.members.back().value = std::move(node);
    return &parent.members.back().value;
  }

  bool start(Node::Kind kind, After after) {
    begin_token();
    end_ = start_ + 1;
    if (open_.size() == kDeepestNesting) {
      error_ = SyntaxError{position_, fmt::format("nested too deep; allowed are {} levels", kDeepestNesting)};
      return false;
    }
    open_.push_back(add({.kind = kind, .position = position_}));
    after_ = after;
    return true;
  }

  bool finish() {
    begin_token();
    end_ = start_ + 1;
    open_.pop_back();
    after_ = open_.empty()                              ? After::document
             : open_.back()->kind == Node::Kind::object ? After::object_value
                                                        : After::list_value;
    return true;
  }

  std::string_view text_;
  const size_t& consumed_;
  size_t start_ = 0, end_;  // of the token in hand
  Lines lines_;
  Position position_;  // of start_
  After after_ = After::nothing;
  Node root_;
  std::vector<Node*> open_;  // the objects and lists around the token in hand
  std::optional<SyntaxError> error_;
};

const Node* child(const Node& node, std::string_view key) {
  for (const Member& member : node.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace

std::expected<Node, SyntaxError> parse(std::string_view text) {
  if (text.size() > kLongestText) {
    return std::unexpected(
        SyntaxError{{}, fmt::format("the file has {} bytes; allowed are {}", text.size(), kLongestText)});
  }
  size_t consumed = 0;
  Builder builder(text, consumed);
  nlohmann::json::sax_parse(CountingIterator(text.begin(), &consumed), CountingIterator(text.end(), nullptr), &builder);
  return builder.result();
}

Position locate(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const bool element = path.front() == '[';
    const size_t length = element ? path.find(']') + 1 : std::min(path.find_first_of(".["), path.size());
    const std::string part(path.substr(0, length));
    const Node* next = nullptr;
    if (!element) {
      next = child(*node, part);
    } else if (const size_t index = std::stoul(part.substr(1)); index < node->elements.size()) {
      next = &node->elements[index];
    }
    if (next == nullptr) break;
    node = next;
    path.remove_prefix(length);
  }
  return node->position;
}

}  // namespace config
