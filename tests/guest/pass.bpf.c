// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What veth wants of whom a native XDP program sends to: a program. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *frame __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
