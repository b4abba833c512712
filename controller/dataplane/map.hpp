// SPDX-License-Identifier: Apache-2.0
// Typed access to BPF maps: arrays through mmap, hashes and per-CPU arrays through system calls.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace dataplane {

// An mmapable array as plain memory, shared with the program; read-only where T is const. Words that the program reads
// while we change them are written with store().
template <typename T>
class MappedArray {
 public:
  // All of it. An error when its entries are not like T.
  static base::Result<MappedArray> map(int fd) {
    static_assert(sizeof(T) % 8 == 0, "the kernel rounds an entry up to 8 bytes");
    bpf_map_info info{};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return base::fail_errno("cannot look at a BPF map");
    if (info.value_size != sizeof(T)) {
      return base::fail(std::string("the BPF map ") + info.name + " has another layout than this binary");
    }
    const int access = std::is_const_v<T> ? PROT_READ : PROT_READ | PROT_WRITE;
    void* memory = mmap(nullptr, info.max_entries * sizeof(T), access, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return base::fail_errno("cannot map a BPF array into memory");
    return MappedArray(static_cast<T*>(memory), info.max_entries);
  }
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept : entries_(std::exchange(other.entries_, {})) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(entries_, other.entries_);
    return *this;
  }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;
  ~MappedArray() {
    if (!entries_.empty()) munmap(const_cast<std::remove_const_t<T>*>(entries_.data()), entries_.size_bytes());
  }

  size_t size() const { return entries_.size(); }
  T& operator[](size_t i) const { return entries_[i]; }
  std::span<T> all() const { return entries_; }

 private:
  MappedArray(T* memory, size_t entries) : entries_(memory, entries) {}
  std::span<T> entries_;
};

template <typename Word>
void store(Word& where, Word value) {
  __atomic_store_n(&where, value, __ATOMIC_RELEASE);
}

template <typename Key, typename Value>
class HashMap {
 public:
  HashMap() = default;
  explicit HashMap(int fd) : fd_(fd) {}

  base::Result<> put(const Key& key, const Value& value) {
    if (bpf_map_update_elem(fd_, &key, &value, BPF_ANY) != 0) return base::fail_errno("cannot update a BPF map");
    return {};
  }
  base::Result<> remove(const Key& key) {
    if (bpf_map_delete_elem(fd_, &key) != 0 && errno != ENOENT) return base::fail_errno("cannot update a BPF map");
    return {};
  }
  void for_each(const std::function<void(const Key&, const Value&)>& visit) const {
    Key key{}, next{};
    for (int end = bpf_map_get_next_key(fd_, nullptr, &next); end == 0; end = bpf_map_get_next_key(fd_, &key, &next)) {
      key = next;
      Value value{};
      if (bpf_map_lookup_elem(fd_, &key, &value) == 0) visit(key, value);
    }
  }

 private:
  int fd_ = -1;
};

// Values that consist of 64-bit counters only. A map of another version may have fewer of them, or more.
template <typename Value>
class PerCpuCounters {
 public:
  PerCpuCounters() = default;
  explicit PerCpuCounters(int fd) : fd_(fd), cpus_(static_cast<size_t>(libbpf_num_possible_cpus())) {
    bpf_map_info info{};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0) words_ = (info.value_size + 7) / sizeof(uint64_t);
  }

  Value sum(uint32_t index) const {
    std::vector<uint64_t> words(cpus_ * words_);
    if (bpf_map_lookup_elem(fd_, &index, words.data()) != 0) words.assign(words.size(), 0);
    std::vector<uint64_t> total(std::max(words_, kWords));
    for (size_t i = 0; i < words.size(); ++i) total[i % words_] += words[i];
    Value value{};
    std::memcpy(&value, total.data(), sizeof value);
    return value;
  }
  void set(uint32_t index, const Value& sum) {
    std::vector<uint64_t> words(std::max(cpus_ * words_, kWords));
    std::memcpy(words.data(), &sum, sizeof sum);
    std::fill(words.begin() + static_cast<ptrdiff_t>(std::min(words_, kWords)), words.end(), 0);
    bpf_map_update_elem(fd_, &index, words.data(), BPF_ANY);
  }

 private:
  static_assert(sizeof(Value) % sizeof(uint64_t) == 0);
  static constexpr size_t kWords = sizeof(Value) / sizeof(uint64_t);

  int fd_ = -1;
  size_t cpus_ = 0, words_ = 0;
};

}  // namespace dataplane
