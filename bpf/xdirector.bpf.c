// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet's way, as a table of contents: one step, one header. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdirector/maps.h>

SEC("xdp")
int xdirector(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
