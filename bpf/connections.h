/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The connection table: a set-associative array without locks. A bucket is one cache line of four ways; a flow may be
 * in any way of two buckets, the two halves of one seeded hash. Order: the ways of the first bucket, then the second's.
 *
 * A way is two words, w0 = client, client port, slot and w1 = virtual address, port, protocol, state, tick.
 * w0 = 0: free. w0 = 1: being written (no client has address 0.0.0.0, so no flow looks like either).
 *
 *   write  CAS(w0, old -> 1); exchange w1; exchange w0. Who loses the CAS tries another way and never waits.
 *   read   load w0, compare; load w1, compare; load w0 again: must be what it was.
 *   touch  CAS(w1, as read -> new state and tick); failure means that somebody else touched it: ignored.
 *   free   CAS(w0, as read -> 0).
 *
 * Why a reader is never sent wrong. Client, client port and slot come from one load of w0, so they belong together
 * whatever happens next. Atomics are full barriers in BPF and x86 keeps loads in order, so if both loads of w0 agree,
 * the w1 between them was w0's, or the way was rewritten in between and given back the very same client, port and
 * slot. Then w1 may be of another virtual server: so the slot, whose cache line the packet needs for the MAC address
 * anyway, must itself name the packet's virtual address, port and protocol. A touch that strikes a newer owner of the
 * way needs an equal w1 there: equal address, port, state and tick; it refreshes a way that was just as fresh. (On
 * machines with weaker order than x86 the loads of w1 and of the second w0 need acquire semantics.)
 *
 * Why a flow is not there twice for long. Two CPUs may insert the same new flow at once. Each looks at all eight ways
 * after its exchange, which is a full barrier, so at least one sees both; whoever does frees the higher one, and who
 * finds its own to be the higher goes where the lower one says.
 *
 * Why a flood costs new connections at most. A full pair of buckets gives up the way that matters least: expired, then
 * opening, closing, young, the oldest of equals; never one seen in this or the previous tick, never a proven one. When
 * there is none, the packet goes by the consistent hash and is not learned.
 *
 * The controller's sweep frees expired ways: CAS(w0, old -> 1), and if w1 is still what was judged, store 0, else store
 * the old w0 again. (A CAS straight to 0 could free a way that was begun anew in between.)
 */
#pragma once

#include "hash.h"
#include "tables.h"

#define WAY_FREE          0
#define WAY_LOCKED        1
#define WAY_STATE_SHIFT   13
#define WAY_SERVICE_SHIFT 15 /* in w1: above state and tick */
#define WAY_CLIENT_SHIFT  16 /* in w0: above the slot */
#define SLOT_MASK         0xffff
#define WAY_NONE          0xffffffff /* no number of a way */

struct xd_buckets {
	struct xd_bucket *first, *second;
};

static __always_inline __u32 way_tick(__u64 w1)
{
	return w1 & TICK_MASK;
}

static __always_inline __u32 way_state(__u64 w1)
{
	return w1 >> WAY_STATE_SHIFT & 3;
}

static __always_inline __u64 way_w1(const struct xd_flow *flow, __u32 state)
{
	return flow->service | state << WAY_STATE_SHIFT | (flow->tick & TICK_MASK);
}

/* Ticks since a way was seen. Another CPU may have read the clock a moment later than this one: not old but new. */
static __always_inline __u32 way_age(__u64 w1, __u32 tick)
{
	__u32 age = (tick - way_tick(w1)) & TICK_MASK;

	return age == TICK_MASK ? 0 : age;
}

static __always_inline bool way_expired(__u64 w1, __u32 tick, const struct xd_real_server *server)
{
	return way_age(w1, tick) > server->timeout_ticks[way_state(w1)];
}

/* Is the flow in this way? Only a guess until `way_read` has looked again. */
static __always_inline bool way_holds(const struct xd_way *way, const struct xd_flow *flow)
{
	return !((READ_ONCE(way->w0) ^ flow->client) >> WAY_CLIENT_SHIFT) &&
	       !((READ_ONCE(way->w1) ^ flow->service) >> WAY_SERVICE_SHIFT);
}

/* Reads w0, w1, w0, as told above. */
static __always_inline bool way_read(const struct xd_way *way, struct xd_flow *flow)
{
	flow->w0 = READ_ONCE(way->w0);
	flow->w1 = READ_ONCE(way->w1);
	return READ_ONCE(way->w0) == flow->w0 && !((flow->w0 ^ flow->client) >> WAY_CLIENT_SHIFT) &&
	       !((flow->w1 ^ flow->service) >> WAY_SERVICE_SHIFT);
}

static __always_inline struct xd_bucket *bucket_at(__u32 index)
{
	return bpf_map_lookup_elem(&connections, &index);
}

static __always_inline __u32 second_index(__u64 hash, __u32 mask, __u32 first)
{
	__u32 second = hash >> 32 & mask;

	return likely(second != first) ? second : second ^ (mask & 1);
}

/* The two of a flow. */
static __always_inline bool buckets_of(const struct xd_flow *flow, struct xd_buckets *buckets)
{
	__u64 hash = flow_hash(flow->client, flow->service, settings.hash_seed);
	__u32 mask = settings.buckets - 1;
	__u32 first = hash & mask;

	buckets->first = bucket_at(first);
	buckets->second = bucket_at(second_index(hash, mask, first));
	return buckets->first && buckets->second;
}

static __always_inline struct xd_way *way_of(struct xd_buckets *buckets, __u32 number)
{
	struct xd_bucket *bucket = number < XD_WAYS ? buckets->first : buckets->second;

	return &bucket->way[number % XD_WAYS];
}

/* The way of the bucket that holds the flow; the first of the bucket is the flow's way number `number`. */
static __always_inline const struct xd_way *bucket_find(struct xd_bucket *bucket, __u32 number, struct xd_flow *flow)
{
#pragma unroll
	for (int i = 0; bucket && i < XD_WAYS; i++) {
		flow->way = number + i;
		if (way_holds(&bucket->way[i], flow))
			return &bucket->way[i];
	}
	return NULL;
}

/* As buckets_of(), but the second bucket is worked out only when it is needed. */
static __always_inline bool connection_find(struct xd_flow *flow)
{
	__u64 hash = flow_hash(flow->client, flow->service, settings.hash_seed);
	__u32 mask = settings.buckets - 1;
	__u32 first = hash & mask;
	const struct xd_way *way = bucket_find(bucket_at(first), 0, flow);

	if (!way)
		way = bucket_find(bucket_at(second_index(hash, mask, first)), XD_WAYS, flow);
	if (way && way_read(way, flow))
		return true;
	flow->w0 = 0; /* not there, or somebody is writing it just now */
	return false;
}

/* The state after one more packet from the client. */
static __always_inline __u32 connection_next_state(__u32 state, __u32 event, bool later_tick)
{
	if (event == EVENT_CLOSE || event == EVENT_RESET)
		return XD_CLOSING;
	if (event == EVENT_OPEN || state == XD_CLOSING)
		return state;
	if (state == XD_OPENING)
		return XD_YOUNG;
	return later_tick ? XD_PROVEN : state;
}

/* Most packets change nothing in the table. */
static __always_inline bool connection_is_steady(const struct xd_flow *flow)
{
	return way_tick(flow->w1 ^ flow->tick) == 0 && flow->event == EVENT_DATA && way_state(flow->w1) >= XD_YOUNG;
}

#define COST_FREE      0 /* above it: rank, then freshness */
#define COST_NEVER     0xffffffff
#define COST_RANK_STEP XD_TICKS

/* What it costs to give up a way: the less, the less it matters. */
SUBPROGRAM __u32 way_cost(__u64 w0, __u64 w1, __u32 tick)
{
	struct xd_real_server *server = real_server_at(w0 & SLOT_MASK);
	__u32 age = way_age(w1, tick);
	__u32 rank = 2 + way_state(w1);

	if (w0 == WAY_FREE)
		return COST_FREE;
	if (w0 == WAY_LOCKED || age <= 1)
		return COST_NEVER;
	if (!server || way_expired(w1, tick, server))
		rank = 1;
	else if (way_state(w1) == XD_PROVEN)
		return COST_NEVER;
	return rank * COST_RANK_STEP + TICK_MASK - age;
}

/* A bucket as a place for a new flow: how many ways are free, and the least of all with what it costs. */
struct xd_place {
	__u32 free, way, cost;
};

static __always_inline struct xd_place bucket_place(struct xd_bucket *bucket, __u32 first, __u32 tick)
{
	struct xd_place place = {.cost = COST_NEVER};

#pragma unroll
	for (__u32 i = 0; i < XD_WAYS; i++) {
		struct xd_way *way = &bucket->way[i];
		__u64 w0 = READ_ONCE(way->w0);
		__u32 cost = w0 == WAY_FREE ? COST_FREE : way_cost(w0, READ_ONCE(way->w1), tick);

		place.free += cost == COST_FREE;
		if (cost < place.cost) {
			place.cost = cost;
			place.way = first + i;
		}
	}
	return place;
}

/* The number of a free way in the emptier bucket, else of the one that matters least; WAY_NONE when all matter. */
SUBPROGRAM __u32 connection_place(__u64 client, __u64 service, __u32 tick)
{
	struct xd_flow flow = {.client = client, .service = service};
	struct xd_place first, second;
	struct xd_buckets buckets;

	if (!buckets_of(&flow, &buckets))
		return WAY_NONE;
	first = bucket_place(buckets.first, 0, tick);
	second = bucket_place(buckets.second, XD_WAYS, tick);
	if (first.cost == COST_NEVER && second.cost == COST_NEVER)
		return WAY_NONE;
	if (first.free || second.free)
		return first.free >= second.free ? first.way : second.way;
	return first.cost <= second.cost ? first.way : second.way;
}

/* Puts w0, w1 for `old_w0` and `old_w1`, unless somebody was faster: then nothing has changed. */
static __always_inline bool way_write(struct xd_way *way, __u64 old_w0, __u64 old_w1, __u64 w0, __u64 w1)
{
	if (__sync_val_compare_and_swap(&way->w0, old_w0, WAY_LOCKED) != old_w0)
		return false;
	if (old_w0 != WAY_FREE && READ_ONCE(way->w1) != old_w1) {
		__sync_lock_test_and_set(&way->w0, old_w0); /* it was seen meanwhile */
		return false;
	}
	__sync_lock_test_and_set(&way->w1, w1);
	__sync_lock_test_and_set(&way->w0, w0);
	return true;
}

/* After an insert: if the flow is there twice, only the lower way stays. Returns the slot to go to. */
SUBPROGRAM __u32 connection_settle(__u64 client, __u64 service, __u32 mine, __u64 w0)
{
	struct xd_flow flow = {.client = client, .service = service};
	struct xd_buckets buckets;

	if (!buckets_of(&flow, &buckets))
		return w0 & SLOT_MASK;
#pragma unroll
	for (__u32 i = 0; i < 2 * XD_WAYS; i++) {
		struct xd_way *way = way_of(&buckets, i);

		if (i == mine || !way_read(way, &flow))
			continue;
		if (i < mine) {
			__sync_val_compare_and_swap(&way_of(&buckets, mine)->w0, w0, WAY_FREE);
			return flow.w0 & SLOT_MASK;
		}
		__sync_val_compare_and_swap(&way->w0, flow.w0, WAY_FREE);
	}
	return w0 & SLOT_MASK;
}

/*
 * Writes an entry for the flow at way `number`, on condition that it is free, or as unimportant as when it was chosen,
 * or the flow's own. False when somebody was faster.
 */
static __always_inline bool flow_write(struct xd_flow *flow, __u32 number, __u32 state)
{
	__u64 w0 = flow->client | flow->slot, old_w0 = flow->w0, old_w1 = flow->w1;
	struct xd_buckets buckets;
	struct xd_way *way;

	if (!buckets_of(flow, &buckets))
		return false;
	way = way_of(&buckets, number);
	if (!old_w0) {
		old_w0 = READ_ONCE(way->w0);
		old_w1 = READ_ONCE(way->w1);
		if (way_cost(old_w0, old_w1, flow->tick) == COST_NEVER)
			return false;
	}
	if (!way_write(way, old_w0, old_w1, w0, way_w1(flow, state)))
		return false;
	flow->slot = connection_settle(flow->client, flow->service, number, w0);
	return true;
}

SUBPROGRAM int connection_write(struct xd_flow *flow, __u32 number, __u32 state)
{
	return flow && flow_write(flow, number, state);
}
