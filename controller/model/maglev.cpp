// SPDX-License-Identifier: Apache-2.0
#include "model/maglev.hpp"

#include <array>
#include <cstring>

#include "model/cycle.hpp"

namespace model {
namespace {

constexpr uint64_t kEntriesPerTurn = 32;

// Primes, so that every skip visits every entry. Each is about half as much again as the one before: little of the
// space is wasted, and few additions of a real server meet a border.
constexpr auto kLengths = std::to_array<uint32_t>(
    {251, 389, 577, 863, 1289, 1931, 2897, 4349, 6521, 9781, 14669, 22003, 33013, 49523, 65521});

constexpr uint16_t kNobody = 0;  // slot 0 is never given out

// The finalizer of MurmurHash3.
uint64_t mix(uint64_t word) {
  word = (word ^ (word >> 33)) * 0xff51afd7ed558ccdULL;
  word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return word ^ (word >> 33);
}

// The order in which a real server wants the entries of a table: a walk over all of them.
class Preference {
 public:
  Preference(const MaglevServer& server, uint32_t length) : length_(length) {
    std::array<uint64_t, 2> address{};
    std::memcpy(address.data(), server.address.bytes().data(), sizeof address);
    const uint64_t first = mix(mix(address[0]) + mix(address[1] + server.port * 0x9e3779b97f4a7c15ULL));
    at_ = static_cast<uint32_t>(first % length);
    skip_ = static_cast<uint32_t>(mix(first + 1) % (length - 1) + 1);
  }

  uint32_t next() {
    const uint32_t entry = at_;
    at_ += skip_;
    if (at_ >= length_) at_ -= length_;
    return entry;
  }

 private:
  uint32_t length_, at_ = 0, skip_ = 0;
};

}  // namespace

uint32_t maglev_length(uint64_t cycle_length) {
  for (const uint32_t length : kLengths) {
    if (length / kEntriesPerTurn >= cycle_length) return length;
  }
  return kLengths.back();
}

std::vector<uint16_t> make_maglev(const std::vector<MaglevServer>& servers, uint32_t length) {
  std::vector<Preference> preferences;
  std::vector<WeightedSlot> weights;  // numbered in their order
  for (const MaglevServer& server : servers) {
    weights.push_back({static_cast<uint16_t>(weights.size()), server.weight});
    preferences.emplace_back(server, length);
  }
  const std::vector<uint16_t> turns = make_cycle(weights);
  if (turns.empty()) return {};
  std::vector<uint16_t> table(length, kNobody);
  for (uint32_t filled = 0; filled < length; ++filled) {
    const uint16_t server = turns[filled % turns.size()];
    uint32_t entry = preferences[server].next();
    while (table[entry] != kNobody) entry = preferences[server].next();
    table[entry] = servers[server].slot;
  }
  return table;
}

}  // namespace model
