// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tick_clock.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <array>

namespace dataplane {

base::Result<TickClock> TickClock::open(uint32_t tick_shift) {
  const std::array<bpf_insn, 3> jiffies_by_tick = {{
      {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = BPF_FUNC_jiffies64},
      {.code = BPF_ALU64 | BPF_RSH | BPF_K,
       .dst_reg = BPF_REG_0,
       .src_reg = 0,
       .off = 0,
       .imm = static_cast<__s32>(tick_shift)},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  }};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
  base::Fd program(bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "read_tick", "GPL", jiffies_by_tick.data(),
                                 jiffies_by_tick.size(), &options));
  if (!program) return base::fail_errno("cannot read the packet path's clock");
  return TickClock(std::move(program));
}

std::optional<uint32_t> TickClock::now() const {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (bpf_prog_test_run_opts(program_.get(), &options) != 0) return std::nullopt;
  return options.retval;
}

}  // namespace dataplane
