// SPDX-License-Identifier: Apache-2.0
// Leases: this process's hold on the map `leases`, one shared page. A virtual address is answered for by the dataplane
// until its deadline. The keys are the control plane's; only deadlines are written here, each by one 64-bit store.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

struct xd_lease;

namespace vrrp {

class Leases {
 public:
  static base::Result<Leases> map(const base::Fd& leases_map);

  // `index` < size() is the caller's duty.
  static uint32_t size();
  base::Time until(uint32_t index) const;
  void set(uint32_t index, base::Time until);
  void end(uint32_t index) { set(index, base::Time{}); }

 private:
  struct Unmap {
    void operator()(xd_lease* page) const;
  };
  explicit Leases(xd_lease* page) : page_(page) {}
  std::unique_ptr<xd_lease, Unmap> page_;
};

}  // namespace vrrp
