// SPDX-License-Identifier: Apache-2.0
#include "dataplane/earlier_run.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <string>

#include "dataplane/layout1.hpp"
#include "dataplane/maps.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

// Of this layout, but with tables of other sizes.
class SameLayout : public EarlierRun {
 public:
  static std::unique_ptr<EarlierRun> open() {
    std::map<std::string, base::Fd> pinned;
    MapFds fds;
    std::vector<const char*> names = map_names();
    names.push_back("counters");
    for (const char* name : names) {
      base::Result<base::Fd> map = pins::open(name);
      if (!map || !*map) return nullptr;
      fds[name] = map->get();
      pinned[name] = std::move(*map);
    }
    base::Result<Maps> maps = Maps::open(fds);
    const uint32_t key = 0;
    xd_settings settings{};
    if (!maps || bpf_map_lookup_elem(fds.at("settings"), &key, &settings) != 0) return nullptr;
    return std::unique_ptr<EarlierRun>(new SameLayout(std::move(pinned), std::move(*maps), settings));
  }

  xd_settings settings() const override { return settings_; }
  model::Tables tables() const override { return maps_.read(); }
  uint64_t position(model::Index virtual_server) const override { return maps_.position(virtual_server); }
  base::Time lease_until(uint32_t index) const override { return maps_.lease_until(index); }
  xd_counters counters() const override { return maps_.counters(); }
  xd_real_server_stats stats(model::Slot slot) const override { return maps_.stats(slot); }
  std::span<const xd_bucket> connections() const override { return maps_.buckets(); }
  std::span<const xd_bucket6> connections6() const override { return maps_.buckets6(); }
  std::vector<Entry> templates() const override {
    std::vector<Entry> all;
    for (const xd_template_bucket& bucket : maps_.template_buckets()) {
      for (size_t i = 0; i < XD_WAYS; ++i) {
        if (const std::optional<Entry> entry = read_entry(bucket, i)) all.push_back(*entry);
      }
    }
    return all;
  }

 private:
  SameLayout(std::map<std::string, base::Fd> pinned, Maps maps, const xd_settings& settings)
      : pinned_(std::move(pinned)), maps_(std::move(maps)), settings_(settings) {}

  std::map<std::string, base::Fd> pinned_;
  Maps maps_;
  xd_settings settings_;
};

}  // namespace

std::optional<uint32_t> layout_of(int settings) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(settings, &info, &size) != 0) return std::nullopt;
  const uint32_t key = 0;
  std::vector<std::byte> value(info.value_size);
  uint32_t layout = 0;
  constexpr size_t kWhere = offsetof(xd_settings, layout);  // in every version
  if (value.size() < kWhere + sizeof layout || bpf_map_lookup_elem(settings, &key, value.data()) != 0) {
    return std::nullopt;
  }
  std::memcpy(&layout, &value[kWhere], sizeof layout);
  return layout;
}

std::unique_ptr<EarlierRun> open_earlier_run() {
  const base::Result<base::Fd> settings = pins::open("settings");
  if (!settings || !*settings) return nullptr;
  const std::optional<uint32_t> layout = layout_of(settings->get());
  if (layout == XD_LAYOUT) return SameLayout::open();
  if (layout == layout1::kLayout) return layout1::open();
  return nullptr;
}

}  // namespace dataplane
