// SPDX-License-Identifier: Apache-2.0
// The JSON text as a tree in which everything knows where it stands in the file.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace config {

struct Member;

struct Node {
  enum class Kind { null, boolean, number, text, list, object };

  Kind kind = Kind::null;
  Position position;
  bool boolean = false;
  double number = 0;            // exact for every whole number a configuration may hold
  std::string text;             // of a text; of a number: as it is written
  std::vector<Node> elements;   // of a list
  std::vector<Member> members;  // of an object, in the file's order, duplicates included
};

struct Member {
  std::string key;
  Position position;
  Node value;
};

struct SyntaxError {
  Position position;
  std::string message;
};

inline constexpr size_t kLongestText = 32 << 20;  // 49,151 real servers, written generously, need half of it
inline constexpr size_t kDeepestNesting = 16;     // a configuration needs 7

// The first syntax error ends it: what follows one cannot be trusted to mean anything.
std::expected<Node, SyntaxError> parse(std::string_view text);

// Where `path` ("virtual_servers[0].port") stands; where its last part is not written, where what would hold it stands.
Position locate(const Node& root, std::string_view path);

}  // namespace config
