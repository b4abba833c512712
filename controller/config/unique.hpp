// SPDX-License-Identifier: Apache-2.0
// What must be there once only.
#pragma once

#include <map>
#include <string>

namespace config {

// Notes every value that was there before; `at` says where the first one is.
template <typename Key>
class Unique {
 public:
  // The path of the first one, or empty.
  std::string first(const Key& key, const std::string& path) {
    const auto [entry, is_new] = seen_.emplace(key, path);
    return is_new ? "" : entry->second;
  }

 private:
  std::map<Key, std::string> seen_;
};

}  // namespace config
