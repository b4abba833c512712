// SPDX-License-Identifier: Apache-2.0
#include "dataplane/egress.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "dataplane/pins.hpp"

namespace dataplane {
namespace {

// Nobody else has this handle ("xd"): the kernel counts those that it gives out itself from 1 on.
constexpr uint32_t kHandle = 0x7864;
constexpr uint32_t kPriority = 1;  // before a filter that ends the matter by accepting the packet

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

// The id of our program on the interface, this run's or an earlier one's; 0: none.
uint32_t filter_on(uint32_t ifindex) {
  const bpf_tc_hook hook = exit_of(ifindex);
  bpf_tc_opts options = our_place();
  return bpf_tc_query(&hook, &options) == 0 ? options.prog_id : 0;
}

uint32_t id_of(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.id : 0;
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
  const uint32_t now = filter_on(ifindex);
  if (now != 0 && now == id_of(program)) return {};
  // The record first: what is there is taken off one day.
  base::Result<> done = pins::replace_one(program, pins::egress_name(ifindex));
  if (done) done = put_on(program, ifindex);
  if (done) return {};
  if (now == 0) pins::unpin(pins::egress_name(ifindex));
  return base::fail(fmt::format(
      "{}: what this host says of a virtual address that it has lost is not held back: {} (see `tc filter show dev {} "
      "egress`)",
      interface, done.error().message, interface));
}

void unfence_egress(uint32_t ifindex) {
  if (filter_on(ifindex) != 0) {
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
