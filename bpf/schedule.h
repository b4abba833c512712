/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The real server for a new connection. The controller has prepared two tables of slots: a cycle, taken by turn
 * (weighted round robin, and least connections, whose cycle is made anew as connections come and go), and a Maglev
 * table, chosen from by a consistent hash.
 */
#pragma once

#include "persistence.h"

/* Offset and length belong together, so they are read as one word. Returns 0 for an empty cycle. */
static __always_inline struct xd_cycle cycle_load(const struct xd_cycle *cycle)
{
	return (struct xd_cycle){.word = READ_ONCE(cycle->word)};
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

/* The client as the hash sees it: masked on a persistent virtual server, whose clients' flows stay together. */
static __always_inline __u64 hashed_client(const struct xd_virtual_server *virtual, const struct xd_flow *flow,
					   const struct xd_client *client, __u64 seed)
{
	if (!flow_is_ipv6(flow))
		return virtual->persistence_ticks ? client->id >> 32 << 32 : flow->client >> 32 << 32;
	return (__u64)address_fold(virtual->persistence_ticks ? client->address : flow->client6, seed) << 32;
}

/*
 * The same on every director with the same view of health: the seed is from the virtual server's key alone, and the
 * tables from addresses and weights. Of the whole flow, where not persistence (or sh, mh) keeps a client together.
 */
static __always_inline __u32 schedule_hash(const struct xd_virtual_server *virtual, struct xd_cycle cycle,
					   const struct xd_flow *flow, const struct xd_client *client)
{
	__u64 seed = virtual->hash_seed * 0x9e3779b97f4a7c15ULL;
	__u64 hashed = hashed_client(virtual, flow, client, seed);
	bool by_client = virtual->persistence_ticks || virtual->scheduler != XD_BY_TURN;

	if (!by_client || virtual->flags & XD_HASH_PORT)
		hashed |= flow->client & 0xffff0000;
	return cycle_slot(cycle, (flow_hash(hashed, 0, seed) >> 32) * cycle.length >> 32);
}
