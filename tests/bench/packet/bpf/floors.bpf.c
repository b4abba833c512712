// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The driver and the floors. The driver restores the packet, picks a flow and tail-calls its target, so that one system
 * call measures many different packets; its own time is that of the target `stub`.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench.h"

volatile struct bench_plan plans[BENCH_CPUS] SEC(".data.plan");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct service_key {
	__be32 address;
	__be16 port;
	__u16 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct service_key);
	__type(value, __u32);
} floor_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_RING);
	__type(key, __u32);
	__type(value, __u32);
} floor_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct bench_real_server);
} floor_real_servers SEC(".maps");

struct floor_counter {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, struct floor_counter);
} floor_service_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct floor_counter);
} floor_server_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_LINES);
	__type(key, __u32);
	__type(value, struct bench_line);
} floor_lines SEC(".maps");

#define FRAME_BYTES 54 /* without options */

/* The layers of a frame. (One struct of all three would have to be packed, and be read byte by byte.) */
struct frame {
	void *start;
	struct iphdr *ip;
	struct tcphdr *tcp;
	__u32 bytes;
};

static __always_inline bool frame_take(struct xdp_md *ctx, struct frame *frame)
{
	void *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (start + FRAME_BYTES > end)
		return false;
	*frame = (struct frame){start, start + 14, start + 34, end - start};
	return true;
}

static __always_inline bool frame_is_tcp(const struct frame *frame)
{
	return *(__be16 *)(frame->start + 12) == bpf_htons(ETH_P_IP) && frame->ip->ihl == 5 &&
	       frame->ip->protocol == 6 && !(frame->ip->frag_off & bpf_htons(0x3fff));
}

/* Both MAC addresses in two stores, as the program does it. */
static __always_inline void frame_address(const struct frame *frame, __u64 destination, __u64 source)
{
	*(__u64 *)frame->start = (destination & 0xffffffffffffULL) | source << 48;
	*(__u32 *)(frame->start + 8) = source >> 16;
}

static __always_inline __u32 next_flow(volatile struct bench_plan *plan)
{
	if (plan->order == ORDER_SEQUENCE)
		return plan->state++ & plan->mask;
	if (plan->order == ORDER_RANDOM) {
		plan->state = plan->state * 6364136223846793005ULL + 1442695040888963407ULL;
		return plan->state >> 33 & plan->mask;
	}
	return 0;
}

#define IP6_CLIENT_AT 34 /* the last four bytes of the source address */
#define IP6_PORTS_AT  54
#define IP6_BYTES     74

/* The flow's client and ports. */
static __always_inline bool write_ipv6(struct xdp_md *ctx, volatile struct bench_plan *plan, __u32 flow)
{
	void *start = (void *)(long)ctx->data;

	if (start + IP6_BYTES > (void *)(long)ctx->data_end)
		return false;
	*(__u64 *)start = plan->frame_head;
	*(__be32 *)(start + IP6_CLIENT_AT) = bpf_htonl(0x0a000001 + (flow & 0x7fffff));
	*(__be16 *)(start + IP6_PORTS_AT) = bpf_htons(1024 + (flow >> 23));
	*(__be16 *)(start + IP6_PORTS_AT + 2) = plan->port;
	*(__u8 *)(start + IP6_PORTS_AT + 13) = plan->tcp_flags;
	return true;
}

static __always_inline bool write_ipv4(struct xdp_md *ctx, volatile struct bench_plan *plan, __u32 flow)
{
	struct frame frame;

	if (!frame_take(ctx, &frame))
		return false;
	*(__u64 *)frame.start = plan->frame_head;
	frame.ip->saddr = bpf_htonl(0x0a000001 + (flow & 0x7fffff));
	frame.ip->daddr = plan->destination;
	frame.tcp->source = bpf_htons(1024 + (flow >> 23));
	frame.tcp->dest = plan->port;
	((__u8 *)frame.tcp)[13] = plan->tcp_flags;
	return true;
}

/* The rest of the frame is as it was given. */
static __always_inline int drive_plan(struct xdp_md *ctx, volatile struct bench_plan *plan, bool ipv6)
{
	__u32 flow = next_flow(plan);

	if (!(ipv6 ? write_ipv6(ctx, plan, flow) : write_ipv4(ctx, plan, flow)))
		return XDP_ABORTED;
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int drive(struct xdp_md *ctx)
{
	return drive_plan(ctx, &plans[0], false);
}

/* For the other CPU. A driver of its own is shorter than one that asks where it runs, and so disturbs less: the more of
 * two packets a CPU has in view, the more their cache misses overlap. */
SEC("xdp")
int drive_other(struct xdp_md *ctx)
{
	return drive_plan(ctx, &plans[1], false);
}

SEC("xdp")
int drive6(struct xdp_md *ctx)
{
	return drive_plan(ctx, &plans[0], true);
}

/* Nothing parsed. */
SEC("xdp")
int stub(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_TX;
}

/* Parse, and send it back. */
SEC("xdp")
int swap(struct xdp_md *ctx)
{
	struct frame frame;
	__u64 destination, source;

	if (!frame_take(ctx, &frame) || !frame_is_tcp(&frame))
		return XDP_PASS;
	destination = *(__u64 *)frame.start;
	source = destination >> 48 | (__u64) * (__u32 *)(frame.start + 8) << 16;
	frame_address(&frame, source, destination);
	return XDP_TX;
}

static __always_inline void count(void *map, __u32 key, __u32 bytes)
{
	struct floor_counter *counter = bpf_map_lookup_elem(map, &key);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

/* The least a director that remembers nothing has to do: service, ring, MAC addresses, two counters. */
SEC("xdp")
int stateless(struct xdp_md *ctx)
{
	struct frame frame;
	struct bench_real_server *server;
	struct service_key key = {};
	__u32 *service, *slot, at;

	if (!frame_take(ctx, &frame) || !frame_is_tcp(&frame))
		return XDP_PASS;
	key.address = frame.ip->daddr;
	key.port = frame.tcp->dest;
	key.protocol = frame.ip->protocol;
	service = bpf_map_lookup_elem(&floor_services, &key);
	if (!service)
		return XDP_PASS;
	at = (frame.ip->saddr ^ frame.tcp->source) * 0x9e3779b1U >> 16;
	slot = bpf_map_lookup_elem(&floor_ring, &at);
	if (!slot)
		return XDP_DROP;
	server = bpf_map_lookup_elem(&floor_real_servers, slot);
	if (!server)
		return XDP_DROP;
	count(&floor_service_counters, *service, frame.bytes);
	count(&floor_server_counters, *slot, frame.bytes);
	frame_address(&frame, server->mac, server->source);
	return XDP_TX;
}

/* The least a director that remembers connections has to do: one cache line of a large table instead of the ring. */
SEC("xdp")
int one_line(struct xdp_md *ctx)
{
	struct frame frame;
	struct bench_real_server *server;
	struct bench_line *line;
	__u32 at, slot;

	if (!frame_take(ctx, &frame) || !frame_is_tcp(&frame))
		return XDP_PASS;
	at = (frame.ip->saddr ^ (__u32)frame.tcp->source << 16) * 0x9e3779b97f4a7c15ULL >> 32 & (BENCH_LINES - 1);
	line = bpf_map_lookup_elem(&floor_lines, &at);
	if (!line)
		return XDP_DROP;
	slot = line->slot;
	server = bpf_map_lookup_elem(&floor_real_servers, &slot);
	if (!server)
		return XDP_DROP;
	count(&floor_service_counters, 0, frame.bytes);
	count(&floor_server_counters, slot, frame.bytes);
	frame_address(&frame, server->mac, server->source);
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
