/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The real server for a new connection, from the virtual server's cycle: by position (weighted round robin; the
 * controller has interleaved the cycle), or by consistent hash.
 */
#pragma once

#include "hash.h"
#include "tables.h"

/* Offset and length belong together, so they are read as one word. Returns 0 for an empty cycle. */
static __always_inline struct xd_cycle cycle_load(struct xd_virtual_server *virtual)
{
	return (struct xd_cycle){.word = READ_ONCE(virtual->cycle.word)};
}

static __always_inline __u32 cycle_slot(struct xd_cycle cycle, __u32 position)
{
	__u32 at = cycle.offset + position;
	__u32 key = at / XD_SCHEDULE_BLOCK;
	struct xd_schedule_block *block = bpf_map_lookup_elem(&schedules, &key);

	return block ? READ_ONCE(block->slot[at % XD_SCHEDULE_BLOCK]) : 0;
}

/* Exact over each cycle and all CPUs together: every connection takes its own position. */
static __always_inline __u32 schedule_next(struct xd_virtual_server *virtual, struct xd_cycle cycle)
{
	return cycle_slot(cycle, __sync_fetch_and_add(&virtual->position, 1) % cycle.length);
}

/*
 * The same on every director with the same view of health: the seed is from the virtual server's key alone, and the
 * cycle from addresses and weights. A persistent virtual server keeps a client's flows together.
 */
static __always_inline __u32 schedule_hash(const struct xd_virtual_server *virtual, struct xd_cycle cycle,
					   const struct xd_flow *flow)
{
	__u64 seed = virtual->hash_seed * 0x9e3779b97f4a7c15ULL;
	__u64 client = flow->client, service = flow->service;

	if (virtual->persistence_ticks) {
		client = (__u64)(flow_client_address(flow) & virtual->persistence_mask) << 32;
		service = 0;
	}
	return cycle_slot(cycle, (flow_hash(client, service, seed) >> 32) * cycle.length >> 32);
}
