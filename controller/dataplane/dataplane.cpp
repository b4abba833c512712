// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dataplane.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <xdirector.skel.h>

#include <array>
#include <bit>
#include <ctime>
#include <ranges>
#include <utility>
#include <vector>

#include "base/log.hpp"
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
base::Result<xd_settings> new_settings(uint32_t buckets) {
  timespec jiffy{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);  // the coarse clocks step once a jiffy
  const auto per_second = static_cast<uint32_t>(1'000'000'000 / jiffy.tv_nsec);
  xd_settings settings{};
  settings.layout = XD_LAYOUT;
  settings.buckets = buckets;
  settings.buckets6 = XD_DEFAULT_BUCKETS6;
  settings.template_buckets = XD_TEMPLATE_BUCKETS;
  settings.tick_shift = static_cast<uint32_t>(std::bit_width(per_second * 4 / 5 - 1));
  settings.tick_ns = static_cast<uint32_t>(jiffy.tv_nsec) << settings.tick_shift;
  if (getrandom(&settings.hash_seed, sizeof settings.hash_seed, 0) != sizeof settings.hash_seed) {
    return base::fail_errno("no random number for the connection table");  // with a known one it could be flooded
  }
  return settings;
}

bool same_shape(const bpf_map* map, const base::Fd& pinned) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  return pinned && bpf_obj_get_info_by_fd(pinned.get(), &info, &size) == 0 && info.type == bpf_map__type(map) &&
         info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
         info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

bool same_settings(const base::Fd& pinned, uint32_t buckets) {
  const uint32_t key = 0;
  xd_settings settings{};
  return bpf_map_lookup_elem(pinned.get(), &key, &settings) == 0 && settings.layout == XD_LAYOUT &&
         settings.buckets == buckets;
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

// Lets the program stand on the pinned maps. False: they are not all there, or not ours.
base::Result<bool> adopt(xdirector& program, uint32_t buckets) {
  std::vector<base::Fd> pinned;
  for (const NamedMap& named : named_maps(program)) {
    base::Result<base::Fd> map = pins::open(named.name);
    if (!map) return std::unexpected(map.error());
    if (!same_shape(named.map, *map)) return false;
    pinned.push_back(std::move(*map));
  }
  if (!same_settings(pinned.front(), buckets)) return false;
  size_t i = 0;
  for (const NamedMap& named : named_maps(program)) {
    if (const int error = bpf_map__reuse_fd(named.map, pinned[i++].get()); error != 0) {
      return base::fail_errno(fmt::format("cannot take over {}", pins::path(named.name)), -error);
    }
  }
  return true;
}

// `settings` says whose the maps are, so it goes first and comes last: what a crash leaves half done is not adopted.
base::Result<> pin_all(const xdirector& program) {
  const std::vector<NamedMap> maps = named_maps(program);
  pins::unpin(maps.front().name);
  for (const NamedMap& named : maps | std::views::reverse) {
    pins::unpin(named.name);
    if (auto done = pins::pin(bpf_map__fd(named.map), named.name); !done) return done;
  }
  return {};
}

// What is said, once, about tables that cannot be taken over. Empty: there are none.
std::string describe_lost_tables() {
  const base::Result<base::Fd> connections = pins::open("connections");
  if (!connections || !*connections) return {};
  return fmt::format(
      "the tables of an earlier run have another layout or size: started with empty ones, dropped {} connections",
      count_entries(*connections));
}

}  // namespace

void Dataplane::Unload::operator()(xdirector* program) const {
  xdirector::destroy(program);
}

Dataplane::Dataplane(ProgramPtr program, Maps maps, TickClock clock, std::string found)
    : program_(std::move(program)),
      maps_(std::move(maps)),
      tables_(maps_.read()),
      sweep_(std::make_unique<Sweep>(maps_.buckets(), maps_.buckets6(), maps_.real_servers())),
      clock_(std::move(clock)),
      found_(std::move(found)) {}
Dataplane::~Dataplane() = default;
Dataplane::Dataplane(Dataplane&&) noexcept = default;
Dataplane& Dataplane::operator=(Dataplane&&) noexcept = default;

base::Result<Dataplane> Dataplane::open(uint32_t buckets) {
  libbpf_set_print(log_libbpf);
  if (auto ready = pins::prepare(); !ready) return std::unexpected(ready.error());
  ProgramPtr program(xdirector::open());
  if (!program) return base::fail_errno("cannot open the BPF program");
  bpf_map__set_max_entries(program->maps.connections, buckets);

  const base::Result<bool> adopted = adopt(*program, buckets);
  if (!adopted) return std::unexpected(adopted.error());
  std::string found = *adopted ? "took over the tables of an earlier run" : describe_lost_tables();
  if (!*adopted) {
    const base::Result<xd_settings> settings = new_settings(buckets);
    if (!settings) return std::unexpected(settings.error());
    std::memcpy(const_cast<xd_settings*>(&program->data_settings->settings), &*settings, sizeof *settings);
  }
  if (const int error = xdirector::load(program.get()); error != 0) {
    return base::fail_errno(
        "the kernel refuses the BPF program (xdirector needs root, Linux 6.1 or later; more with --log-level debug)",
        -error);
  }
  if (!*adopted) {
    if (auto done = pin_all(*program); !done) return std::unexpected(done.error());
  }
  base::Result<Maps> maps = Maps::open(map_fds(*program));
  if (!maps) return std::unexpected(maps.error());
  base::Result<TickClock> clock = TickClock::open(program->data_settings->settings.tick_shift);
  if (!clock) return std::unexpected(clock.error());
  return Dataplane(std::move(program), std::move(*maps), std::move(*clock), std::move(found));
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
  const Programs programs{.plain = bpf_program__fd(program_->progs.xdirector),
                          .multi_buffer = bpf_program__fd(program_->progs.xdirector_frags)};
  return attach(programs, place, wanted);
}

int Dataplane::leases_fd() const {
  return bpf_map__fd(program_->maps.leases);
}

std::map<base::Ip, model::LeaseEntry> pinned_leases() {
  const base::Result<base::Fd> pinned = pins::open("leases");
  if (!pinned || !*pinned) return {};
  const auto leases = MappedArray<const xd_lease>::map(pinned->get());
  return leases ? read_leases(leases->all()) : std::map<base::Ip, model::LeaseEntry>();
}

}  // namespace dataplane
