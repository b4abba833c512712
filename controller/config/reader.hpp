// SPDX-License-Identifier: Apache-2.0
// Typed reading of the tree. Whatever is wrong is noted and reading goes on with an empty value, so that one run
// reports everything; an empty value stands for "not known" from then on and is never judged again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "config/tree.hpp"

namespace config {

// Collects what is wrong in one file.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(Severity severity, Position position, std::string path, std::string message);
  // Whether something at `path`, within it or around it is wrong.
  bool has_error_around(std::string_view path) const;
  // By severity, then as they stand in the file.
  std::vector<Diagnostic> take();

 private:
  std::string file_;
  std::multimap<std::pair<Severity, Position>, Diagnostic> found_;  // equal ones in the order in which they were found
};

// A node and the way to it.
struct Value {
  const Node& node;
  std::string path;
  Problems& problems;

  void wrong(std::string message) const;             // an error here
  void unexpected(std::string_view expected) const;  // "found a text; expected ...": names the type, not the content
};

// A list, each element turned into one of the result's by `read`, in order, those that are wrong included. Empty
// without a list.
template <typename Read>
auto elements(const std::optional<Value>& list, const Read& read) {
  std::vector<std::remove_cvref_t<decltype(read(*list))>> result;
  if (!list) return result;
  if (list->node.kind != Node::Kind::list) {
    list->unexpected("a list [ ... ]");
    return result;
  }
  for (const Node& element : list->node.elements) {
    result.push_back(read(Value{element, list->path + "[" + std::to_string(result.size()) + "]", list->problems}));
  }
  return result;
}

// The known keys of one object: each is asked for once, by required() or optional(); then close().
class Object {
 public:
  explicit Object(const Value& value);

  // A reader has `std::optional<...> operator()(const Value&) const`, which notes what is wrong, and `std::string
  // allowed() const`.
  template <typename T, typename Read>
  T required(std::string_view key, const Read& read) {
    return value_of<T>(require(key, read.allowed()), read, T{});
  }
  template <typename T, typename Read>
  T optional(std::string_view key, const Read& read, std::type_identity_t<T> fallback) {
    return value_of<T>(find(key), read, std::move(fallback));
  }

  // The value of `key`; nothing when it is not there. require() notes that it is missing.
  std::optional<Value> find(std::string_view key);
  std::optional<Value> require(std::string_view key, std::string_view expected);

  // The elements of a list, as by elements() below.
  template <typename Read>
  auto list(std::string_view key, const Read& read) {
    return elements(find(key), read);
  }
  template <typename Read>
  auto required_list(std::string_view key, std::string_view expected, const Read& read) {
    return elements(require(key, expected), read);
  }

  // Notes every key that was not asked for.
  void close();

  const Value& value() const { return value_; }

 private:
  template <typename T, typename Read>
  static T value_of(const std::optional<Value>& value, const Read& read, T fallback) {
    if (!value) return fallback;
    auto read_value = read(*value);
    if constexpr (std::is_same_v<T, decltype(read_value)>) {
      return read_value;
    } else {
      return read_value ? static_cast<T>(std::move(*read_value)) : T{};
    }
  }

  std::string path_of(std::string_view key) const;

  Value value_;
  bool is_object_;
  std::vector<std::string_view> known_;
};

// --- Readers of single values ---

struct Whole {
  int64_t min, max;

  std::string allowed() const;
  std::optional<int64_t> operator()(const Value& value) const;
};

// Seconds, fractions allowed.
struct Seconds {
  double min, max;
  std::string_view why = {};  // behind the limits

  std::string allowed() const;
  std::optional<base::Duration> operator()(const Value& value) const;
};

struct Flag {
  std::string allowed() const { return "true or false"; }
  std::optional<bool> operator()(const Value& value) const;
};

// A name or label: not empty, no control characters.
struct Text {
  size_t longest;

  std::string allowed() const;
  std::optional<std::string> operator()(const Value& value) const;
};

// Like Text, but what is wrong with it is said without quoting it.
struct Password {
  std::string allowed() const { return "a text of 1 to 8 characters"; }
  std::optional<std::string> operator()(const Value& value) const;
};

struct InterfaceName {
  std::string allowed() const { return "the name of a network interface"; }
  std::optional<std::string> operator()(const Value& value) const;
};

// An address that a host can have: neither unspecified, multicast, broadcast, loopback nor link-local IPv6.
struct HostAddress {
  std::string allowed() const { return "an IP address such as 192.168.100.111 or 2001:db8::111"; }
  std::optional<base::Ip> operator()(const Value& value) const;
};

// The same, or a link-local IPv6 address: where it is known which interface is meant.
struct InterfaceAddress {
  std::string allowed() const { return "an IP address such as 192.168.100.111, 2001:db8::111 or fe80::111"; }
  std::optional<base::Ip> operator()(const Value& value) const;
};

struct Prefix {
  base::Ip ip;
  uint8_t length = 0;
};

// An address of an interface with the length of its network's prefix, "192.168.100.111/24"; without one: the whole
// address.
struct AddressWithPrefix {
  std::string allowed() const { return "an IP address such as 192.168.100.111, 192.168.100.111/24 or 2001:db8::111"; }
  std::optional<Prefix> operator()(const Value& value) const;
};

// A network, "10.0.0.0/8", a single host, or "default" (0.0.0.0/0; IPv6: "::/0").
struct Network {
  std::string allowed() const { return "a network such as 10.0.0.0/8 or 2001:db8::/32, an address, or \"default\""; }
  std::optional<Prefix> operator()(const Value& value) const;
};

// One of a few words.
template <typename T>
struct Choice {
  struct Word {
    std::string_view word;
    T value;
  };
  struct Refused {
    std::string_view word;
    std::string_view reason;  // continues the sentence: "NAT" is ...
  };
  std::vector<Word> words;
  std::vector<Refused> refused = {};

  std::string allowed() const {
    std::string text;
    for (const Word& word : words) text += (text.empty() ? "\"" : " or \"") + std::string(word.word) + "\"";
    return text;
  }
  std::optional<T> operator()(const Value& value) const {
    if (value.node.kind != Node::Kind::text) {
      value.unexpected(allowed());
      return std::nullopt;
    }
    for (const Word& word : words) {
      if (word.word == value.node.text) return word.value;
    }
    for (const Refused& word : refused) {
      if (word.word == value.node.text) {
        value.wrong(quoted(word.word) + " is " + std::string(word.reason));
        return std::nullopt;
      }
    }
    value.wrong(quoted(value.node.text) + " is not known here; allowed is " + allowed());
    return std::nullopt;
  }
};

}  // namespace config
