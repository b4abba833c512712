// SPDX-License-Identifier: Apache-2.0
// What to tell the operator about a key that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace config {

// One sentence about `key`: keepalived's meaning of it where that helps, else the nearest of `known`, else all of them.
std::string unknown_key(std::string_view key, std::span<const std::string_view> known);

// Insertions, deletions, substitutions and swaps of neighbours that make one text of the other.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace config
