// SPDX-License-Identifier: Apache-2.0
// The packet path as one object: loads the program, adopts or makes its pinned maps, attaches it, and keeps the maps
// equal to the tables it is given. The only user of libbpf; the control plane is its only user.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dataplane/attach.hpp"
#include "dataplane/carry_over.hpp"
#include "dataplane/connections.hpp"
#include "dataplane/maps.hpp"
#include "dataplane/tick_clock.hpp"
#include "model/tables.hpp"

struct xdirector;

namespace dataplane {

// In buckets of XD_WAYS entries; powers of two.
struct TableSizes {
  uint32_t connections = XD_DEFAULT_BUCKETS, connections6 = XD_DEFAULT_BUCKETS6, templates = XD_TEMPLATE_BUCKETS;

  friend bool operator==(const TableSizes&, const TableSizes&) = default;
};

// Somebody advertises a virtual router, as it came by the wire.
struct VrrpSeen {
  uint32_t ifindex = 0;
  std::vector<uint16_t> tags;  // VLAN ids, the outermost first
  base::Ip sender;
  uint8_t virtual_router_id = 0, priority = 0;
  base::Time at;  // the last time
};

class Dataplane {
 public:
  // Loads the program on the maps of an earlier run where they have this layout and size, else on new ones. These are
  // filled with what was under way in the old ones, which stay pinned until keep(). An earlier program forwards on
  // until attach_to() replaces it.
  static base::Result<Dataplane> open(const TableSizes& sizes);
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

  // Once all is attached: pins the maps for the next run, with everything that the old ones got until the switch.
  // Killed at any point it leaves either the old maps to the next run or the new ones.
  base::Result<> keep();
  bool in_use() const { return in_use_; }  // attached somewhere: to be kept even when the start fails

  base::Result<Attached> attach_to(const Place& place, std::optional<Mode> wanted);

  // The fence at the exit of these interfaces, and of no others (egress.hpp). Returns what could not be done.
  std::vector<std::string> hold_egress(const std::vector<Place>& places);

  std::vector<VrrpSeen> vrrp_seen() const;

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
  Dataplane(ProgramPtr program, Maps maps, TickClock clock);
  base::Result<> follow(std::unique_ptr<EarlierRun> earlier);
  base::Result<> bring_entries();

  ProgramPtr program_;
  Maps maps_;
  model::Tables tables_;
  std::unique_ptr<Sweep> sweep_;
  TickClock clock_;
  std::string found_;
  std::optional<CarryOver> carry_over_;  // until keep()
  bool in_use_ = false, kept_ = false;
};

// The virtual addresses that an earlier run may have left on this host, by its pinned leases; read without loading.
std::map<base::Ip, model::LeaseEntry> pinned_leases();

}  // namespace dataplane
