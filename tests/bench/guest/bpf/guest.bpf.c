// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Generator, sinks and floors of the guest's benchmark, and the stop-watch: one pair of clock reads around each poll of
 * the director's interface. In the guest a nanosecond is an instruction.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "plan.h"

volatile struct guest_plan plan SEC(".data.plan");
volatile struct guest_polls polls SEC(".data.polls");
volatile __u64 arrived SEC(".data.arrived");

static __u64 poll_start;

static __u32 next_flow(void)
{
	if (plan.order == GUEST_SEQUENCE)
		return plan.state++ & plan.mask;
	plan.state = plan.state * 1664525 + 1013904223;
	return plan.state >> 8 & plan.mask;
}

static __u16 folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* Frames come round again: whatever a director changes is written anew. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 flow = next_flow();
	__be32 client = bpf_htonl(plan.first_client + (flow & ((1U << plan.client_bits) - 1)));
	__be16 port = bpf_htons(1024 + (flow >> plan.client_bits));

	if (frame + GUEST_FRAME_BYTES > end)
		return XDP_ABORTED;
	*(__u64 *)frame = plan.frame_head[0];
	*(__u32 *)(frame + 8) = plan.frame_head[1];
	*(__u16 *)(frame + 12) = plan.frame_head[1] >> 32;
	if (plan.ipv6) {
		*(__u8 *)(frame + 21) = 64; /* hop limit */
		*(__be32 *)(frame + 34) = client;
		*(__be16 *)(frame + 54) = port;
	} else {
		*(__u8 *)(frame + 22) = 64; /* time to live */
		*(__u16 *)(frame + 24) = folded(plan.checksum + (client & 0xffff) + (client >> 16));
		*(__be32 *)(frame + 26) = client;
		*(__be16 *)(frame + 34) = port;
	}
	return bpf_redirect(plan.out_ifindex, 0);
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data != GUEST_FRAME_BYTES)
		return XDP_PASS;
	arrived++;
	return XDP_DROP;
}

SEC("tc")
int sink_tc(struct __sk_buff *skb)
{
	if (skb->len != GUEST_FRAME_BYTES)
		return TC_ACT_OK;
	arrived++;
	return TC_ACT_SHOT;
}

SEC("xdp")
int drop(struct xdp_md *ctx __attribute__((unused)))
{
	arrived++;
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

struct net_device {
	char name[16];
} __attribute__((preserve_access_index));

struct napi_struct {
	struct net_device *dev;
} __attribute__((preserve_access_index));

/* veth_poll(napi, budget): argument 0, and after both of them what it returns. */
static bool is_directors(const __u64 *arguments)
{
	const struct napi_struct *napi = (const void *)arguments[0];

	return napi->dev->name[0] == 'd';
}

SEC("fentry/veth_poll")
int poll_enter(const __u64 *arguments)
{
	if (is_directors(arguments))
		poll_start = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/veth_poll")
int poll_leave(const __u64 *arguments)
{
	__u64 now = bpf_ktime_get_ns();

	if (!is_directors(arguments))
		return 0;
	polls.polls++;
	polls.packets += (__u32)arguments[2];
	polls.ns += now - poll_start;
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
