// SPDX-License-Identifier: Apache-2.0
#include "vrrp/leases.hpp"

#include <sys/mman.h>

#include "xdirector/maps.h"

namespace vrrp {
namespace {

constexpr size_t kBytes = sizeof(xd_lease) * XD_MAX_LEASES;

}  // namespace

base::Result<Leases> Leases::map(const base::Fd& leases_map) {
  void* page = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, leases_map.get(), 0);
  if (page == MAP_FAILED) return base::fail_errno("cannot map the leases");
  return Leases(static_cast<xd_lease*>(page));
}

void Leases::Unmap::operator()(xd_lease* page) const {
  munmap(page, kBytes);
}

uint32_t Leases::size() {
  return XD_MAX_LEASES;
}

base::Time Leases::until(uint32_t index) const {
  return base::Time{static_cast<int64_t>(__atomic_load_n(&page_.get()[index].until, __ATOMIC_ACQUIRE))};
}

void Leases::set(uint32_t index, base::Time until) {
  __atomic_store_n(&page_.get()[index].until, static_cast<__u64>(until.ns), __ATOMIC_RELEASE);
}

}  // namespace vrrp
