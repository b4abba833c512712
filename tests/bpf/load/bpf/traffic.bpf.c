// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Traffic: picks a frame, and tail-calls the target. BPF_PROG_TEST_RUN keeps the frame between the rounds of one call,
 * so the next round sees where the target has sent the last packet, and judges it. Millions of packets each second are
 * checked so, on every CPU.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <xdirector/maps.h>

#include "traffic.h"

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TRAFFIC_CPUS);
	__type(key, __u32);
	__type(value, struct traffic_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TRAFFIC_FRAMES);
	__type(key, __u32);
	__type(value, struct traffic_frame);
} frames SEC(".maps");

/* By flow. The loader sets its size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic_expected);
} expected SEC(".maps");

/* The target's own, by reuse. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xd_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xd_bucket);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xd_bucket6);
} connections6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xd_template_bucket);
} persistence SEC(".maps");

static __always_inline __u32 next_random(struct traffic_cpu *cpu)
{
	cpu->random = cpu->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return cpu->random >> 33;
}

static __always_inline void blame(struct traffic_cpu *cpu, __u32 went, __u32 should)
{
	cpu->wrong++;
	cpu->example.frame = cpu->pending - 1;
	cpu->example.flow = cpu->pending_flow;
	cpu->example.went = went;
	cpu->example.expected = should;
}

static __always_inline void judge_fixed(struct traffic_cpu *cpu, struct traffic_expected *flow, __u16 slot)
{
	if (!flow->slot)
		flow->slot = slot;
	else if (flow->slot != slot && flow->slot != TRAFFIC_NOBODY)
		blame(cpu, slot, flow->slot);
}

/* A flow whose entry is forgotten may be placed anywhere: then that is where it is from now on. */
static __always_inline void judge_tracked(struct traffic_cpu *cpu, struct traffic_expected *flow, __u16 slot,
					  bool known, bool learned)
{
	if (known && flow->slot != slot) {
		if (flow->before != slot)
			return blame(cpu, slot, flow->slot);
		cpu->stale++;
	}
	if ((known || learned) && flow->slot != slot) {
		flow->before = flow->slot;
		flow->slot = slot;
	}
}

/* Where did the last packet go? */
static __always_inline void judge(struct traffic_cpu *cpu, const __u8 *frame)
{
	__u32 zero = 0, number = cpu->pending - 1, flow_number = cpu->pending_flow;
	struct traffic_frame *sent = bpf_map_lookup_elem(&frames, &number);
	const struct xd_counters *counted = bpf_map_lookup_elem(&counters, &zero);
	struct traffic_expected *flow = bpf_map_lookup_elem(&expected, &flow_number);
	__u16 slot = frame[4] << 8 | frame[5];
	bool known, learned;

	if (!counted)
		return;
	known = counted->forwarded != cpu->forwarded;
	learned = counted->unlearned == cpu->unlearned;
	cpu->forwarded = counted->forwarded;
	cpu->unlearned = counted->unlearned;
	if (!cpu->pending || !sent || !flow)
		return;
	cpu->judged++;
	if (frame[0] != TRAFFIC_MAC)
		cpu->unsent++;
	else if (sent->rule == TRAFFIC_FIXED)
		judge_fixed(cpu, flow, slot);
	else if (sent->rule == TRAFFIC_TRACKED)
		judge_tracked(cpu, flow, slot, known, learned && !sent->fleeting);
}

/* Not of a way that is being written: nobody touches these. */
static __always_inline void age_way(struct xd_way *way, __u32 ticks)
{
	__u64 was = READ_ONCE(way->w1);

	if (READ_ONCE(way->w0) == 1)
		return;
	__sync_val_compare_and_swap(&way->w1, was, (was & ~(__u64)(XD_TICKS - 1)) | ((was - ticks) & (XD_TICKS - 1)));
}

/* Lets time pass for one entry of each table, as a touch would, backwards. */
static __always_inline void age(struct traffic_cpu *cpu)
{
	__u32 random = next_random(cpu), bucket = (random >> 8) % cpu->ageing_buckets, number = random >> 2 & 3;
	struct xd_bucket *four = bpf_map_lookup_elem(&connections, &bucket);
	struct xd_bucket6 *six = bpf_map_lookup_elem(&connections6, &bucket);
	struct xd_template_bucket *templates = bpf_map_lookup_elem(&persistence, &bucket);
	__u64 was;

	if (!four || !six || !templates)
		return;
	age_way(&four->way[number], cpu->ageing_ticks);
	age_way(&six->ways.way[number], cpu->ageing_ticks);
	was = READ_ONCE(templates->way[number].w1);
	__sync_val_compare_and_swap(&templates->way[number].w1, was,
				    (was & ~0xffffffffULL) | (__u32)(was - cpu->ageing_ticks));
}

/* Another client: its address and its port. */
static __always_inline bool vary(struct traffic_cpu *cpu, void *data, const void *end)
{
	__u32 address_at = cpu->address_at & 0x7f, port_at = cpu->port_at & 0x7f;
	__u32 number = cpu->next++;

	if (data + address_at + 4 > end || data + port_at + 2 > end)
		return false;
	*(__u32 *)(data + address_at) = bpf_htonl(cpu->base + number);
	*(__u16 *)(data + port_at) = bpf_htons(1024 + number % 60000);
	cpu->pending_flow = cpu->tracked ? number : 0xffffffff;
	return true;
}

static __always_inline bool send_next(struct traffic_cpu *cpu, void *data, const void *end)
{
	__u32 number = cpu->first + (cpu->count > 1 ? next_random(cpu) % cpu->count : 0);
	struct traffic_frame *frame = bpf_map_lookup_elem(&frames, &number);

	if (!frame)
		return false;
#pragma unroll
	for (int i = 0; i < TRAFFIC_WORDS; i++)
		((__u64 *)data)[i] = frame->words[i];
	cpu->pending = number + 1;
	cpu->pending_flow = frame->flow;
	return cpu->order != TRAFFIC_VARIED || vary(cpu, data, end);
}

SEC("xdp")
int traffic(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 number = bpf_get_smp_processor_id();
	struct traffic_cpu *cpu = bpf_map_lookup_elem(&cpus, &number);

	if (!cpu || data + TRAFFIC_BYTES > end)
		return XDP_ABORTED;
	judge(cpu, data);
	cpu->pending = 0;
	if (!cpu->count)
		return XDP_PASS;
	if (cpu->ageing && next_random(cpu) % cpu->ageing == 0 && cpu->ageing_buckets)
		age(cpu);
	if (send_next(cpu, data, end))
		bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
