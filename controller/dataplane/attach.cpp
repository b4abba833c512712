// SPDX-License-Identifier: Apache-2.0
#include "dataplane/attach.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include <expected>
#include <vector>

#include "base/fd.hpp"
#include "dataplane/egress.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

uint32_t flag(Mode mode) {
  return mode == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

// The interface that a link is on; 0: it was severed when its interface was deleted.
uint32_t interface_of(const base::Fd& link) {
  bpf_link_info info{};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(link.get(), &info, &size) == 0 ? info.xdp.ifindex : 0;
}

struct Holder {
  Mode mode = Mode::native;
  uint32_t program = 0;  // id
};

// The program on the interface now, ours or another's.
std::optional<Holder> holder(uint32_t ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &query) != 0 || query.attach_mode == XDP_ATTACHED_NONE) return {};
  const bool generic = query.attach_mode == XDP_ATTACHED_SKB;
  return Holder{generic ? Mode::generic : Mode::native, query.prog_id};
}

std::string describe_program(uint32_t id) {
  const base::Fd program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return fmt::format("id {}", id);
  return fmt::format("\"{}\", id {}", info.name, id);
}

// The one that suits the MTU first. In generic mode the kernel makes one buffer of each frame.
std::vector<Attached> choices(const Place& place, Mode mode) {
  if (mode == Mode::generic) return {{.mode = mode}};
  const bool large = place.mtu > kLargestPageMtu;
  return {{.mode = mode, .multi_buffer = large}, {.mode = mode, .multi_buffer = !large}};
}

int descriptor(const Programs& programs, const Attached& choice) {
  return choice.multi_buffer ? programs.multi_buffer : programs.plain;
}

// 0, or a negative errno value.
int create_link(int program, uint32_t ifindex, Mode mode) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flag(mode));
  base::Fd link(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
  if (!link) return -errno;
  return pins::pin(link.get(), pins::link_name(ifindex)) ? 0 : -errno;
}

// Error: what the driver said to its first choice, as a negative errno value.
std::expected<Attached, int> create(const Programs& programs, const Place& place, Mode mode) {
  int first_error = 0;
  for (const Attached& choice : choices(place, mode)) {
    const int error = create_link(descriptor(programs, choice), place.ifindex, mode);
    if (error == 0) return choice;
    if (first_error == 0) first_error = error;
  }
  return std::unexpected(first_error);
}

std::optional<Attached> update(const base::Fd& link, const Programs& programs, const Place& place, Mode mode) {
  for (Attached choice : choices(place, mode)) {
    if (bpf_link_update(link.get(), descriptor(programs, choice), nullptr) != 0) continue;
    choice.adopted = true;
    return choice;
  }
  return std::nullopt;
}

base::Result<> refuse_if_held(const Place& place) {
  const std::optional<Holder> other = holder(place.ifindex);
  if (!other) return {};
  return base::fail(fmt::format(
      "{} already has another XDP program ({}): stop what put it there, or take it off with `ip link set dev {} "
      "xdp off` or `bpftool net detach xdp dev {}`",
      place.interface, describe_program(other->program), place.interface, place.interface));
}

// In the mode that is wanted, or in the best that the driver has.
base::Result<Attached> attach_anew(const Programs& programs, const Place& place, std::optional<Mode> wanted) {
  const auto attached = create(programs, place, wanted.value_or(Mode::native));
  if (attached) return *attached;
  if (wanted) {
    return base::fail_errno(fmt::format("cannot attach to {} in {} mode", place.interface, name(*wanted)),
                            -attached.error());
  }
  auto generic = create(programs, place, Mode::generic);
  if (!generic && generic.error() == -EEXIST) {
    return base::fail(fmt::format(
        "cannot attach to {}: an interface above it (a VLAN sub-interface, a bond) has an XDP program; take that off",
        place.interface));
  }
  if (!generic) return base::fail_errno("cannot attach to " + place.interface, -generic.error());
  generic->warning =
      fmt::format("{} runs in generic mode, which is several times slower: its driver refuses native XDP ({})",
                  place.interface, base::fail_errno("it says", -attached.error()).error().message);
  return *generic;
}

// At once: a link that only loses its pin lets go of the interface some time later.
void take_off(uint32_t ifindex, const base::Fd& link) {
  bpf_link_detach(link.get());
  pins::unpin(pins::link_name(ifindex));
}

}  // namespace

std::string_view name(Mode mode) {
  return mode == Mode::native ? "native" : "generic";
}

base::Result<Attached> attach(const Programs& programs, const Place& place, std::optional<Mode> wanted) {
  std::optional<Mode> before;
  base::Result<base::Fd> link = pins::open(pins::link_name(place.ifindex));
  if (!link) return std::unexpected(link.error());
  if (*link) {
    const std::optional<Holder> now = interface_of(*link) == place.ifindex ? holder(place.ifindex) : std::nullopt;
    if (now) before = now->mode;
    if (before && (!wanted || *wanted == *before)) {
      if (const auto updated = update(*link, programs, place, *before)) return *updated;
    }
    take_off(place.ifindex, *link);
  }
  if (auto free = refuse_if_held(place); !free) return std::unexpected(free.error());
  base::Result<Attached> attached = attach_anew(programs, place, wanted);
  // Rather as it was than not at all: without the program nothing fences the node's virtual addresses.
  if (!attached && before) static_cast<void>(create(programs, place, *before));
  return attached;
}

bool is_attached(uint32_t ifindex) {
  const base::Result<base::Fd> link = pins::open(pins::link_name(ifindex));
  return link && *link && interface_of(*link) == ifindex;
}

void detach(uint32_t ifindex) {
  if (const base::Result<base::Fd> link = pins::open(pins::link_name(ifindex)); link && *link) {
    take_off(ifindex, *link);
  }
}

void detach_others(const std::set<uint32_t>& keep) {
  for (const uint32_t ifindex : pins::links()) {
    if (!keep.contains(ifindex)) detach(ifindex);
  }
}

bool detach_all() {
  detach_others({});
  unfence_other_egress({});
  return pins::remove_all();
}

}  // namespace dataplane
