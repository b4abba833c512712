// SPDX-License-Identifier: Apache-2.0
#include "dataplane/attach.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include "base/fd.hpp"
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

// 0, or a negative errno value.
int create_link(int program, uint32_t ifindex, Mode mode) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flag(mode));
  base::Fd link(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
  if (!link) return -errno;
  return pins::pin(link.get(), pins::link_name(ifindex)) ? 0 : -errno;
}

base::Result<> refuse_if_held(uint32_t ifindex, const std::string& interface) {
  const std::optional<Holder> other = holder(ifindex);
  if (!other) return {};
  return base::fail(fmt::format(
      "{} already has another XDP program ({}): stop what put it there, or take it off with `ip link set dev {} "
      "xdp off` or `bpftool net detach xdp dev {}`",
      interface, describe_program(other->program), interface, interface));
}

// In the mode that is wanted, or in the best that the driver has.
base::Result<Attached> attach_anew(int program, uint32_t ifindex, const std::string& interface,
                                   std::optional<Mode> wanted) {
  const int error = create_link(program, ifindex, wanted.value_or(Mode::native));
  if (error == 0) return Attached{wanted.value_or(Mode::native), false, {}};
  if (wanted) {
    return base::fail_errno(fmt::format("cannot attach to {} in {} mode", interface, name(*wanted)), -error);
  }
  const int generic_error = create_link(program, ifindex, Mode::generic);
  if (generic_error != 0) return base::fail_errno("cannot attach to " + interface, -generic_error);
  return Attached{
      Mode::generic, false,
      fmt::format("{} runs in generic mode, which is several times slower: its driver refuses native XDP ({})",
                  interface, base::fail_errno("it says", -error).error().message)};
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

base::Result<Attached> attach(int program, uint32_t ifindex, const std::string& interface, std::optional<Mode> wanted) {
  std::optional<Mode> before;
  base::Result<base::Fd> link = pins::open(pins::link_name(ifindex));
  if (!link) return std::unexpected(link.error());
  if (*link) {
    const std::optional<Holder> now = interface_of(*link) == ifindex ? holder(ifindex) : std::nullopt;
    if (now) before = now->mode;
    const bool usable = before && (!wanted || *wanted == *before);
    if (usable && bpf_link_update(link->get(), program, nullptr) == 0) return Attached{*before, true, {}};
    take_off(ifindex, *link);
  }
  if (auto free = refuse_if_held(ifindex, interface); !free) return std::unexpected(free.error());
  base::Result<Attached> attached = attach_anew(program, ifindex, interface, wanted);
  // Rather as it was than not at all: without the program nothing fences the node's virtual addresses.
  if (!attached && before) create_link(program, ifindex, *before);
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
  return pins::remove_all();
}

}  // namespace dataplane
