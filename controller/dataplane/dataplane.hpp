// SPDX-License-Identifier: Apache-2.0
// The packet path as one object: loads the program, adopts or makes its pinned maps, attaches it, and keeps the maps
// equal to the tables it is given. The only user of libbpf; the control plane is its only user.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "dataplane/attach.hpp"
#include "dataplane/connections.hpp"
#include "dataplane/maps.hpp"
#include "dataplane/tick_clock.hpp"
#include "model/tables.hpp"

struct xdirector;

namespace dataplane {

class Dataplane {
 public:
  // Loads the program on the maps of an earlier run where they have this layout and `buckets`, else on new, empty ones.
  // An earlier program forwards on until attach() replaces it.
  static base::Result<Dataplane> open(uint32_t buckets);
  ~Dataplane();
  Dataplane(Dataplane&&) noexcept;
  Dataplane& operator=(Dataplane&&) noexcept;

  // For the log: what open() found. Empty: nothing of an earlier run.
  const std::string& found() const { return found_; }
  base::Duration tick() const;
  uint64_t bytes() const;  // kernel memory of the fixed tables

  const model::Tables& tables() const { return tables_; }
  base::Result<> apply(model::Tables desired);  // on an error everything is as before
  // New cycles alone; on an error nothing has changed.
  base::Result<> change_cycles(const model::Cycles& cycles);

  base::Result<Attached> attach_to(const Place& place, std::optional<Mode> wanted);

  int leases_fd() const;
  Maps& maps() { return maps_; }
  const Maps& maps() const { return maps_; }
  Sweep& sweep() { return *sweep_; }
  const Sweep& sweep() const { return *sweep_; }
  std::optional<uint32_t> current_tick() const { return clock_.now(); }

 private:
  struct Unload {
    void operator()(xdirector* program) const;
  };
  using ProgramPtr = std::unique_ptr<xdirector, Unload>;
  Dataplane(ProgramPtr program, Maps maps, TickClock clock, std::string found);

  ProgramPtr program_;
  Maps maps_;
  model::Tables tables_;
  std::unique_ptr<Sweep> sweep_;
  TickClock clock_;
  std::string found_;
};

// The virtual addresses that an earlier run may have left on this host, by its pinned leases; read without loading.
std::map<base::Ip, model::LeaseEntry> pinned_leases();

}  // namespace dataplane
