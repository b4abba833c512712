// SPDX-License-Identifier: Apache-2.0
#include "model/schedule_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace model {
namespace {

// The gaps between `occupied`, one after another.
class Gaps {
 public:
  Gaps(std::vector<Region> occupied, uint32_t size) : occupied_(std::move(occupied)), size_(size) {
    std::ranges::sort(occupied_, {}, &Region::offset);
  }

  // The next gap of this length or more; from its beginning.
  bool find(uint32_t length) {
    while (end() - begin_ < length) {
      if (next_ == occupied_.size()) return false;
      begin_ = occupied_[next_].offset + occupied_[next_].length;
      ++next_;
    }
    return true;
  }

  Region take(uint32_t length) {
    begin_ += length;
    return {begin_ - length, length};
  }

 private:
  uint32_t end() const { return next_ == occupied_.size() ? size_ : occupied_[next_].offset; }

  std::vector<Region> occupied_;
  uint32_t size_, begin_ = 0;
  size_t next_ = 0;  // the first one behind the gap
};

}  // namespace

base::Result<std::vector<Region>> place_schedules(std::vector<Region> occupied, const std::vector<uint32_t>& lengths,
                                                  uint32_t size) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(lengths[i], i); });
  std::vector<Region> placed(lengths.size());
  Gaps gaps(std::move(occupied), size);
  for (const size_t i : order) {  // a gap that is too small for one is too small for all behind it
    if (!gaps.find(lengths[i])) {
      return base::fail(
          fmt::format("no room for a schedule of {} entries; use smaller weights with a common divisor", lengths[i]));
    }
    placed[i] = gaps.take(lengths[i]);
  }
  return placed;
}

}  // namespace model
