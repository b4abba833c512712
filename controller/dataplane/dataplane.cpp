// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dataplane.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <xdirector.skel.h>

#include <algorithm>
#include <array>
#include <bit>
#include <ctime>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "dataplane/egress.hpp"
#include "dataplane/encode.hpp"
#include "dataplane/layout1.hpp"
#include "dataplane/named_maps.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

int log_libbpf(libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 4096> text{};
  const int n = vsnprintf(text.data(), text.size(), format, args);
  std::string_view line(text.data());
  while (line.ends_with('\n')) line.remove_suffix(1);
  base::log::debug("{}", line);  // what matters comes back as an error value
  return n;
}

// One tick is about a second: the power of two of jiffies nearest above 0.8 s.
base::Result<xd_settings> new_settings(const TableSizes& sizes) {
  timespec jiffy{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);  // the coarse clocks step once a jiffy
  const auto per_second = static_cast<uint32_t>(1'000'000'000 / jiffy.tv_nsec);
  xd_settings settings{};
  settings.layout = XD_LAYOUT;
  settings.buckets = sizes.connections;
  settings.buckets6 = sizes.connections6;
  settings.template_buckets = sizes.templates;
  settings.tick_shift = static_cast<uint32_t>(std::bit_width(per_second * 4 / 5 - 1));
  settings.tick_ns = static_cast<uint32_t>(jiffy.tv_nsec) << settings.tick_shift;
  if (getrandom(&settings.hash_seed, sizeof settings.hash_seed, 0) != sizeof settings.hash_seed) {
    return base::fail_errno("no random number for the connection table");  // with a known one it could be flooded
  }
  return settings;
}

// The same clock, and the same seed: entries keep the folds of their addresses.
xd_settings settings_after(const xd_settings& earlier, const TableSizes& sizes) {
  return {.hash_seed = earlier.hash_seed,
          .layout = XD_LAYOUT,
          .buckets = sizes.connections,
          .tick_shift = earlier.tick_shift,
          .tick_ns = earlier.tick_ns,
          .buckets6 = sizes.connections6,
          .template_buckets = sizes.templates};
}

bool same_shape(const bpf_map* map, const base::Fd& pinned) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  return pinned && bpf_obj_get_info_by_fd(pinned.get(), &info, &size) == 0 && info.type == bpf_map__type(map) &&
         info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
         info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

bool same_settings(const base::Fd& pinned, const TableSizes& sizes) {
  const uint32_t key = 0;
  xd_settings settings{};
  return layout_of(pinned.get()) == XD_LAYOUT && bpf_map_lookup_elem(pinned.get(), &key, &settings) == 0 &&
         settings.buckets == sizes.connections && settings.buckets6 == sizes.connections6 &&
         settings.template_buckets == sizes.templates;
}

// How many connections a table of another layout or size holds, as far as its ways are ours.
uint64_t count_entries(const base::Fd& connections) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (!connections || bpf_obj_get_info_by_fd(connections.get(), &info, &size) != 0) return 0;
  if (info.value_size != sizeof(xd_bucket)) return 0;
  auto buckets = MappedArray<const xd_bucket>::map(connections.get());
  if (!buckets) return 0;
  uint64_t count = 0;
  for (const xd_bucket& bucket : buckets->all()) {
    for (const xd_way& way : bucket.way) count += way.w0 > 1 ? 1 : 0;
  }
  return count;
}

enum class Adoption {
  none,     // the pinned maps are not all there, or not ours
  partial,  // renewable ones are made anew beside them
  whole,
};

// Lets the program stand on the pinned maps.
base::Result<Adoption> adopt(xdirector& program, const TableSizes& sizes) {
  std::vector<std::pair<NamedMap, base::Fd>> pinned;
  Adoption adoption = Adoption::whole;
  for (const NamedMap& named : named_maps(program)) {
    base::Result<base::Fd> map = pins::open(named.name);
    if (!map) return std::unexpected(map.error());
    if (same_shape(named.map, *map)) {
      pinned.emplace_back(named, std::move(*map));
    } else if (named.renewable) {
      adoption = Adoption::partial;
    } else {
      return Adoption::none;
    }
  }
  if (!same_settings(pinned.front().second, sizes)) return Adoption::none;
  for (const auto& [named, map] : pinned) {
    if (const int error = bpf_map__reuse_fd(named.map, map.get()); error != 0) {
      return base::fail_errno(fmt::format("cannot take over {}", pins::path(named.name)), -error);
    }
  }
  return adoption;
}

// What the pinned counters say, into new ones that have other verdicts, too.
void copy_counters(Maps& maps) {
  const base::Result<base::Fd> pinned = pins::open("counters");
  if (pinned && *pinned) maps.set_counters(PerCpuCounters<xd_counters>(pinned->get()).sum(0));
}

base::Result<> pin_all(const xdirector& program) {
  std::vector<std::pair<std::string, int>> fds;
  for (const NamedMap& named : named_maps(program)) fds.emplace_back(named.name, bpf_map__fd(named.map));
  return pins::replace(fds);
}

// What is said, once, about tables that cannot be taken over. Empty: there are none.
std::string describe_lost_tables() {
  const base::Result<base::Fd> connections = pins::open("connections");
  if (!connections || !*connections) return {};
  return fmt::format(
      "the tables of an earlier run are not all there, or of a version that this one does not know: started with empty "
      "ones, dropped {} connections",
      count_entries(*connections));
}

}  // namespace

void Dataplane::Unload::operator()(xdirector* program) const {
  xdirector::destroy(program);
}

Dataplane::Dataplane(ProgramPtr program, Maps maps, TickClock clock)
    : program_(std::move(program)),
      maps_(std::move(maps)),
      tables_(maps_.read()),
      sweep_(std::make_unique<Sweep>(maps_.buckets(), maps_.buckets6(), maps_.real_servers())),
      clock_(std::move(clock)) {}
Dataplane::~Dataplane() = default;
Dataplane::Dataplane(Dataplane&&) noexcept = default;
Dataplane& Dataplane::operator=(Dataplane&&) noexcept = default;

base::Result<Dataplane> Dataplane::open(const TableSizes& sizes) {
  libbpf_set_print(log_libbpf);
  if (auto ready = pins::prepare(); !ready) return std::unexpected(ready.error());
  if (auto done = pins::complete_replacement("settings"); !done) return std::unexpected(done.error());
  ProgramPtr program(xdirector::open());
  if (!program) return base::fail_errno("cannot open the BPF program");
  bpf_map__set_max_entries(program->maps.connections, sizes.connections);
  bpf_map__set_max_entries(program->maps.connections6, sizes.connections6);
  bpf_map__set_max_entries(program->maps.persistence, sizes.templates);

  const base::Result<Adoption> adoption = adopt(*program, sizes);
  if (!adoption) return std::unexpected(adoption.error());
  const bool adopted = *adoption != Adoption::none;
  std::unique_ptr<EarlierRun> earlier = adopted ? nullptr : open_earlier_run();
  if (!adopted) {
    const base::Result<xd_settings> settings =
        earlier ? settings_after(earlier->settings(), sizes) : new_settings(sizes);
    if (!settings) return std::unexpected(settings.error());
    std::memcpy(const_cast<xd_settings*>(&program->data_settings->settings), &*settings, sizeof *settings);
  }
  if (const int error = xdirector::load(program.get()); error != 0) {
    return base::fail_errno(
        "the kernel refuses the BPF program (xdirector needs root, Linux 6.1 or later; more with --log-level debug)",
        -error);
  }
  base::Result<Maps> maps = Maps::open(map_fds(*program));
  if (!maps) return std::unexpected(maps.error());
  base::Result<TickClock> clock = TickClock::open(program->data_settings->settings.tick_shift);
  if (!clock) return std::unexpected(clock.error());
  Dataplane dataplane(std::move(program), std::move(*maps), std::move(*clock));
  dataplane.kept_ = *adoption == Adoption::whole;
  if (adopted) {
    if (*adoption == Adoption::partial) copy_counters(dataplane.maps_);
    dataplane.found_ = "took over the tables of an earlier run";
  } else if (auto begun = dataplane.follow(std::move(earlier)); !begun) {
    return std::unexpected(begun.error());
  }
  return dataplane;
}

// Everything of an earlier run has the index here that it has there; its entries come when packets are about to.
base::Result<> Dataplane::follow(std::unique_ptr<EarlierRun> earlier) {
  if (!earlier) {
    found_ = describe_lost_tables();
    return {};
  }
  carry_over_.emplace(std::move(earlier));
  found_ = fmt::format("carrying over the tables of an earlier run (layout {})", carry_over_->from().settings().layout);
  return apply(carry_over_->from().tables());
}

base::Result<> Dataplane::bring_entries() {
  const std::optional<uint32_t> tick = current_tick();
  if (!tick) return base::fail("cannot read the packet path's clock");
  carry_over_->copy_entries(maps_, *tick);
  return {};
}

base::Result<> Dataplane::keep() {
  if (kept_) return {};
  if (carry_over_) {
    wait_for_packets_in_flight();  // in the program before
    if (auto done = bring_entries(); !done) return done;
    const CarryOver::Outcome& outcome = carry_over_->outcome();
    base::log::info("carried over {} connections and {} persistence templates; for {} there was no room",
                    outcome.connections, outcome.templates, outcome.no_room);
  }
  if (auto done = pin_all(*program_); !done) return done;
  carry_over_.reset();
  kept_ = true;
  return {};
}

base::Duration Dataplane::tick() const {
  return base::Duration(program_->data_settings->settings.tick_ns);
}

uint64_t Dataplane::bytes() const {
  uint64_t total = 0;
  for (const NamedMap& named : named_maps(*program_)) {
    const bool hash = bpf_map__type(named.map) == BPF_MAP_TYPE_HASH;
    if (!hash) total += uint64_t{bpf_map__max_entries(named.map)} * bpf_map__value_size(named.map);
  }
  return total;
}

base::Result<> Dataplane::apply(model::Tables desired) {
  base::Result<> done = maps_.change(tables_, desired);
  tables_ = done ? std::move(desired) : maps_.read();  // should taking back have failed, too: what stands there
  return done;
}

base::Result<> Dataplane::change_cycles(const model::Cycles& cycles) {
  if (auto done = maps_.change_cycles(cycles); !done) return done;
  for (const auto& [index, cycle] : cycles) tables_.virtual_servers.at(index).cycle = cycle;
  return {};
}

base::Result<Attached> Dataplane::attach_to(const Place& place, std::optional<Mode> wanted) {
  if (carry_over_ && !in_use_) {
    carry_over_->copy_values(maps_, tables_);
    if (auto done = bring_entries(); !done) return std::unexpected(done.error());
  }
  const Programs programs{.plain = bpf_program__fd(program_->progs.xdirector),
                          .multi_buffer = bpf_program__fd(program_->progs.xdirector_frags)};
  base::Result<Attached> attached = attach(programs, place, wanted);
  in_use_ = in_use_ || attached.has_value();
  return attached;
}

std::vector<std::string> Dataplane::hold_egress(const std::vector<Place>& places) {
  std::vector<std::string> problems;
  std::set<uint32_t> keep;
  for (const Place& place : places) {
    keep.insert(place.ifindex);
    const base::Result<> done =
        fence_egress(bpf_program__fd(program_->progs.egress_fence), place.ifindex, place.interface);
    if (!done) problems.push_back(done.error().message);
  }
  unfence_other_egress(keep);
  return problems;
}

std::vector<VrrpSeen> Dataplane::vrrp_seen() const {
  std::vector<xd_vrrp_key> keys(XD_MAX_VRRP_SEEN);
  std::vector<xd_vrrp_seen> values(keys.size());
  auto count = static_cast<uint32_t>(keys.size());
  uint32_t batch = 0;
  const int map = bpf_map__fd(program_->maps.vrrp_seen);
  const int error = bpf_map_lookup_batch(map, nullptr, &batch, keys.data(), values.data(), &count, nullptr);
  if (error != 0 && error != -ENOENT) return {};
  std::vector<VrrpSeen> all;
  for (size_t i = 0; i < count; ++i) {
    VrrpSeen seen{.ifindex = keys[i].ifindex,
                  .tags = {},
                  .sender = decode(keys[i].sender),
                  .virtual_router_id = keys[i].virtual_router_id,
                  .priority = values[i].priority,
                  .at = base::Time{static_cast<int64_t>(values[i].at)}};
    std::ranges::copy_if(keys[i].tag, std::back_inserter(seen.tags), [](uint16_t tag) { return tag != 0; });
    all.push_back(std::move(seen));
  }
  return all;
}

int Dataplane::leases_fd() const {
  return bpf_map__fd(program_->maps.leases);
}

std::map<base::Ip, model::LeaseEntry> pinned_leases() {
  const base::Result<base::Fd> pinned = pins::open("leases");
  if (!pinned || !*pinned) return {};
  if (const auto leases = MappedArray<const xd_lease>::map(pinned->get())) return read_leases(leases->all());
  if (const auto leases = MappedArray<const layout1::Lease>::map(pinned->get())) {
    return layout1::read_leases(leases->all());
  }
  return {};
}

}  // namespace dataplane
