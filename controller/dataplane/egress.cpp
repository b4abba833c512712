// SPDX-License-Identifier: Apache-2.0
#include "dataplane/egress.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/fd.hpp"
#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

constexpr uint32_t kHandle = 0x7864;  // "xd": ours, among filters of the same priority
constexpr uint32_t kPriority = 1;     // before a filter that ends the matter by accepting the packet
constexpr std::string_view kName = "egress_fence";

struct Filter {
  uint32_t id = 0;
  std::string name;
};

std::optional<Filter> describe(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return std::nullopt;
  return Filter{info.id, info.name};
}

bpf_tc_hook exit_of(uint32_t ifindex) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(ifindex);
  hook.attach_point = BPF_TC_EGRESS;
  return hook;
}

bpf_tc_opts our_place() {
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = kHandle;
  options.priority = kPriority;
  return options;
}

// What is in our place, ours or not.
std::optional<Filter> filter_on(uint32_t ifindex) {
  const bpf_tc_hook hook = exit_of(ifindex);
  bpf_tc_opts options = our_place();
  if (bpf_tc_query(&hook, &options) != 0) return std::nullopt;
  const base::Fd program(bpf_prog_get_fd_by_id(options.prog_id));
  return program ? describe(program.get()) : Filter{};
}

base::Result<> put_on(int program, uint32_t ifindex) {
  bpf_tc_hook hook = exit_of(ifindex);
  bpf_tc_opts options = our_place();
  options.prog_fd = program;
  options.flags = BPF_TC_F_REPLACE;
  int error = bpf_tc_hook_create(&hook);
  if (error == 0 || error == -EEXIST) error = bpf_tc_attach(&hook, &options);
  return error == 0 ? base::Result<>() : base::fail_errno("tc refuses the filter", -error);
}

}  // namespace

base::Result<> fence_egress(int program, uint32_t ifindex, const std::string& interface) {
  const std::optional<Filter> now = filter_on(ifindex), ours = describe(program);
  if (now && ours && now->id == ours->id) return {};
  if (now && now->name != kName) {
    return base::fail(fmt::format(
        "{}: what this host says of a virtual address that it has lost is not held back, for another program (\"{}\") "
        "is where ours belongs: see `tc filter show dev {} egress`",
        interface, now->name, interface));
  }
  // The record first: what is there is taken off one day.
  base::Result<> done = pins::replace_one(program, pins::egress_name(ifindex));
  if (done) done = put_on(program, ifindex);
  if (done) return {};
  if (!now) pins::unpin(pins::egress_name(ifindex));
  return base::fail(fmt::format("{}: what this host says of a virtual address that it has lost is not held back: {}",
                                interface, done.error().message));
}

void unfence_egress(uint32_t ifindex) {
  if (const std::optional<Filter> now = filter_on(ifindex); now && now->name == kName) {
    const bpf_tc_hook hook = exit_of(ifindex);
    const bpf_tc_opts options = our_place();
    bpf_tc_detach(&hook, &options);
  }
  pins::unpin(pins::egress_name(ifindex));
}

void unfence_other_egress(const std::set<uint32_t>& keep) {
  for (const uint32_t ifindex : pins::egresses()) {
    if (!keep.contains(ifindex)) unfence_egress(ifindex);
  }
}

}  // namespace dataplane
