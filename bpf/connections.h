/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The connection tables: set-associative arrays without locks, one for each family. A bucket is one cache line of four
 * ways; a flow may be in any way of two buckets, the two halves of one seeded hash. Order: the ways of the first
 * bucket, then the second's.
 *
 * A way is two words, w0 = client, client port, slot and w1 = virtual address, port, protocol, state, tick.
 * w0 = 0: free. w0 = 1: being written (no client has address 0.0.0.0, so no flow looks like either).
 *
 *   write  CAS(w0, old -> 1); store w1; exchange w0. Who loses the CAS tries another way and never waits.
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
 * IPv6. The addresses do not fit into the two words, so these have folds of them, and the addresses stand in the next
 * two lines of the bucket. They are written between w1 and w0; w1 carries a generation that each writer moves on.
 *
 *   read   load w1; w0, compare; the addresses, compare; w0 again: must be what it was; w1 again: the same generation.
 *
 * If any word of the addresses was of a later owner than w0, then the second load of w1 is, too, and has another
 * generation than the first, which is older than w0. (The generation has 16 bits: a reader would have to be held up
 * while the way is given away 65,536 times, the last time to a flow of the same folds, client port and slot.)
 *
 * Why a flow is not there twice for long. Two CPUs may insert the same new flow at once. Each looks at all eight ways
 * after its exchange, which is a full barrier, so at least one sees both; whoever does frees the higher one, and who
 * finds its own to be the higher goes where the lower one says.
 *
 * Why a flood costs new connections at most. A full pair of buckets gives up the way that matters least: expired, then
 * opening, closing, young, the oldest of equals; never one seen in this or the previous tick, never a proven one, and a
 * young one only when it has been silent for YOUNG_SILENCE: a client that pauses after its first second is no half-open
 * connection. When there is none, the packet goes by the consistent hash and is not learned.
 *
 * The controller's sweep frees expired ways: it compares and swaps both words at once, and leaves w1, whose generation
 * counts. (A swap of w0 alone could free a way that was begun anew in between. A lock could be held for long: unlike
 * the program, a process may be put aside, or killed, at any instruction.)
 */
#pragma once

#include <xdirector/hash.h>

#include "tables.h"

#define WAY_FREE             0
#define WAY_LOCKED           1
#define WAY_STATE_SHIFT      13
#define WAY_SERVICE_SHIFT    15 /* in w1: above state and tick */
#define WAY_CLIENT_SHIFT     16 /* in w0: above the slot */
#define WAY_GENERATION_SHIFT 32 /* in w1 of IPv6 */
#define WAY_GENERATION_MASK  (0xffffULL << WAY_GENERATION_SHIFT)
#define SLOT_MASK            0xffff
#define WAY_NONE             0xffffffff /* no number of a way */
#define ROOM_TO_SPARE        2 /* free ways of the first bucket, for a flow to go there without a look at the second */

struct xd_buckets {
	struct xd_bucket *first, *second;
	__u32 preferred; /* way of either */
};

static __always_inline __u32 way_tick(__u64 w1)
{
	return w1 & TICK_MASK;
}

static __always_inline __u32 way_state(__u64 w1)
{
	return w1 >> WAY_STATE_SHIFT & 3;
}

/* w1 with another state and tick. */
static __always_inline __u64 way_w1(__u64 w1, __u32 state, __u32 tick)
{
	return (w1 >> WAY_SERVICE_SHIFT << WAY_SERVICE_SHIFT) | state << WAY_STATE_SHIFT | (tick & TICK_MASK);
}

/* The part of w1 that a flow is known by: without state, tick and, of IPv6, the generation. */
static __always_inline __u64 way_service(__u64 w1, bool ipv6)
{
	return (ipv6 ? w1 & ~WAY_GENERATION_MASK : w1) >> WAY_SERVICE_SHIFT;
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

/* Does w0 say that the flow is here? Of IPv6 it may be another of the same fold. */
static __always_inline bool way_is_of_client(__u64 w0, const struct xd_flow *flow)
{
	return !((w0 ^ flow->client) >> WAY_CLIENT_SHIFT);
}

/* Reads w0, w1, w0, as told above. */
static __always_inline bool way_read4(const struct xd_way *way, struct xd_flow *flow)
{
	__u64 w0 = READ_ONCE(way->w0), w1;

	if (!way_is_of_client(w0, flow))
		return false;
	w1 = READ_ONCE(way->w1);
	if (way_service(w1 ^ flow->service, false) || READ_ONCE(way->w0) != w0)
		return false;
	flow->w0 = w0;
	flow->w1 = w1;
	return true;
}

static __always_inline bool addresses_are(const struct xd_bucket6 *bucket, __u32 number, const struct xd_flow *flow)
{
	const __be64 *client = bucket->of[number].client, *address = bucket->of[number].address;

	return READ_ONCE(client[0]) == flow->client6[0] && READ_ONCE(client[1]) == flow->client6[1] &&
	       READ_ONCE(address[0]) == flow->address6[0] && READ_ONCE(address[1]) == flow->address6[1];
}

/* Reads w1, w0, the addresses, w0, w1. */
static __always_inline bool way_read6(const struct xd_bucket6 *bucket, __u32 number, struct xd_flow *flow)
{
	const struct xd_way *way = &bucket->ways.way[number];
	__u64 w1 = READ_ONCE(way->w1), w0 = READ_ONCE(way->w0);

	if (!way_is_of_client(w0, flow) || way_service(w1 ^ flow->service, true) ||
	    !addresses_are(bucket, number, flow))
		return false;
	if (READ_ONCE(way->w0) != w0 || (READ_ONCE(way->w1) ^ w1) >> WAY_SERVICE_SHIFT)
		return false;
	flow->w0 = w0;
	flow->w1 = w1;
	return true;
}

/* Is the flow in this way? The bucket is one of its family's table, and `number` one of its four ways. */
static __always_inline bool way_read(const struct xd_bucket *bucket, __u32 number, struct xd_flow *flow, bool ipv6)
{
	return ipv6 ? way_read6((const struct xd_bucket6 *)bucket, number, flow)
		    : way_read4(&bucket->way[number], flow);
}

static __always_inline struct xd_bucket *bucket_at(__u32 index, bool ipv6)
{
	return ipv6 ? bpf_map_lookup_elem(&connections6, &index) : bpf_map_lookup_elem(&connections, &index);
}

static __always_inline __u32 bucket_mask(bool ipv6)
{
	return (ipv6 ? settings.buckets6 : settings.buckets) - 1;
}

/* The two of a flow. */
static __always_inline bool buckets_of(const struct xd_flow *flow, struct xd_buckets *buckets, bool ipv6)
{
	__u32 mask = bucket_mask(ipv6);

	buckets->preferred = xd_preferred_way(flow->hash);
	buckets->first = bucket_at(xd_first_bucket(flow->hash, mask), ipv6);
	buckets->second = bucket_at(xd_second_bucket(flow->hash, mask), ipv6);
	return buckets->first && buckets->second;
}

static __always_inline struct xd_bucket *bucket_of(struct xd_buckets *buckets, __u32 number)
{
	return number < XD_WAYS ? buckets->first : buckets->second;
}

static __always_inline struct xd_way *way_of(struct xd_buckets *buckets, __u32 number)
{
	return &bucket_of(buckets, number)->way[number % XD_WAYS];
}

/* Is the flow in this bucket? Looks at its ways in the flow's order; the bucket's first is the flow's way `number`. */
static __always_inline bool bucket_find(const struct xd_bucket *bucket, __u32 number, __u32 preferred,
					struct xd_flow *flow, bool ipv6)
{
#pragma unroll
	for (__u32 i = 0; bucket && i < XD_WAYS; i++) {
		__u32 way = preferred ^ i;

		if (way_read(bucket, way, flow, ipv6)) {
			flow->way = number + way;
			return true;
		}
	}
	return false;
}

/* For the fast path: the second bucket is looked at only when it is needed. */
static __always_inline bool connection_find(struct xd_flow *flow, bool ipv6)
{
	__u64 hash = flow_hash(flow->client, flow->service, settings.hash_seed);
	__u32 mask = bucket_mask(ipv6), preferred = xd_preferred_way(hash);

	return likely(bucket_find(bucket_at(xd_first_bucket(hash, mask), ipv6), 0, preferred, flow, ipv6)) ||
	       bucket_find(bucket_at(xd_second_bucket(hash, mask), ipv6), XD_WAYS, preferred, flow, ipv6);
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

#define YOUNG_SILENCE 60 /* ticks */

/* Is an established connection in use, or is it one that a flood has left behind? */
static __always_inline bool way_is_established(__u64 w1, __u32 age)
{
	return way_state(w1) == XD_PROVEN || (way_state(w1) == XD_YOUNG && age <= YOUNG_SILENCE);
}

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
	else if (way_is_established(w1, age))
		return COST_NEVER;
	return rank * COST_RANK_STEP + TICK_MASK - age;
}

/* A place for a new flow: a way, and what is there. */
struct xd_place {
	__u32 way, cost;
	__u64 w0, w1;
};

/* How many ways of the bucket are free, and the first of them. */
static __always_inline __u32 bucket_free(const struct xd_bucket *bucket, __u32 first, __u32 preferred, __u32 *way)
{
	__u32 free = 0;

#pragma unroll
	for (__u32 i = 0; i < XD_WAYS; i++) {
		__u32 number = preferred ^ (XD_WAYS - 1 - i); /* the preferred one last, so that it stands */

		if (READ_ONCE(bucket->way[number].w0) != WAY_FREE)
			continue;
		free++;
		*way = first + number;
	}
	return free;
}

static __always_inline void bucket_cheapest(const struct xd_bucket *bucket, __u32 first, __u32 tick,
					    struct xd_place *place)
{
#pragma unroll
	for (__u32 i = 0; i < XD_WAYS; i++) {
		__u64 w0 = READ_ONCE(bucket->way[i].w0), w1 = READ_ONCE(bucket->way[i].w1);
		__u32 cost = way_cost(w0, w1, tick);

		if (cost < place->cost)
			*place = (struct xd_place){.way = first + i, .cost = cost, .w0 = w0, .w1 = w1};
	}
}

/*
 * A free way, else the one that matters least; WAY_NONE when all matter. The first bucket is taken while it has room to
 * spare, for a lookup begins there; then the emptier one.
 */
static __always_inline struct xd_place buckets_place(const struct xd_buckets *buckets, __u32 tick)
{
	struct xd_place place = {.way = WAY_NONE, .cost = COST_NEVER};
	__u32 second_way = 0, free, second_free;

	free = bucket_free(buckets->first, 0, buckets->preferred, &place.way);
	if (likely(free >= ROOM_TO_SPARE))
		return place;
	second_free = bucket_free(buckets->second, XD_WAYS, buckets->preferred, &second_way);
	if (second_free > free)
		place.way = second_way;
	if (free | second_free)
		return place;
	bucket_cheapest(buckets->first, 0, tick, &place);
	bucket_cheapest(buckets->second, XD_WAYS, tick, &place);
	return place;
}

/* The way that the flow could have, and what is there: where an entry is written if one is. */
static __always_inline void flow_place(struct xd_flow *flow, const struct xd_buckets *buckets)
{
	struct xd_place place = buckets_place(buckets, flow->tick);

	flow->way = place.way;
	flow->w0 = place.w0;
	flow->w1 = place.w1;
}

/* The addresses, while the way is locked. */
static __always_inline void addresses_write(struct xd_bucket6 *bucket, __u32 number, const struct xd_flow *flow)
{
	WRITE_ONCE(bucket->of[number].client[0], flow->client6[0]);
	WRITE_ONCE(bucket->of[number].client[1], flow->client6[1]);
	WRITE_ONCE(bucket->of[number].address[0], flow->address6[0]);
	WRITE_ONCE(bucket->of[number].address[1], flow->address6[1]);
}

/* Puts the flow in place of `old_w0` and `old_w1`, unless somebody was faster: then nothing has changed. */
static __always_inline bool way_write(struct xd_bucket *bucket, __u32 number, __u64 old_w0, __u64 old_w1,
				      const struct xd_flow *flow, __u32 state, bool ipv6)
{
	__u64 w0 = flow->client | flow->slot, w1 = way_w1(flow->service, state, flow->tick);
	struct xd_way *way = &bucket->way[number];

	if (__sync_val_compare_and_swap(&way->w0, old_w0, WAY_LOCKED) != old_w0)
		return false;
	if (old_w0 != WAY_FREE && READ_ONCE(way->w1) != old_w1) {
		__sync_lock_test_and_set(&way->w0, old_w0); /* it was seen meanwhile */
		return false;
	}
	if (ipv6) /* nobody else writes w1 of a free or locked way, but a touch that comes late has the old generation
		   */
		w1 |= READ_ONCE(way->w1) + (1ULL << WAY_GENERATION_SHIFT) & WAY_GENERATION_MASK;
	WRITE_ONCE(way->w1, w1); /* between two full barriers */
	if (ipv6)
		addresses_write((struct xd_bucket6 *)bucket, number, flow);
	__sync_lock_test_and_set(&way->w0, w0);
	return true;
}

/* After an insert: if the flow is there twice, only the lower way stays. Returns the slot to go to. */
static __always_inline __u32 flow_settle(struct xd_flow *flow, __u32 mine, struct xd_buckets *buckets, bool ipv6)
{
	__u64 w0 = flow->client | flow->slot;

#pragma unroll
	for (__u32 i = 0; i < 2 * XD_WAYS; i++) {
		struct xd_way *way = way_of(buckets, i);

		if (likely(!way_is_of_client(READ_ONCE(way->w0), flow)) || i == mine ||
		    !way_read(bucket_of(buckets, i), i % XD_WAYS, flow, ipv6))
			continue;
		if (i < mine) {
			__sync_val_compare_and_swap(&way_of(buckets, mine)->w0, w0, WAY_FREE);
			return flow->w0 & SLOT_MASK;
		}
		__sync_val_compare_and_swap(&way->w0, flow->w0, WAY_FREE);
	}
	return w0 & SLOT_MASK;
}

/*
 * Writes an entry for the flow at its way: its own old one if it had one, so that it is never there twice, else the
 * place that was found. May change the slot to what a faster CPU has chosen. False: somebody has changed the way
 * meanwhile.
 */
static __always_inline bool flow_insert(struct xd_flow *flow, __u32 state, bool ipv6)
{
	__u32 way = flow->way;
	struct xd_buckets buckets;

	if (!buckets_of(flow, &buckets, ipv6))
		return false;
	if (!way_write(bucket_of(&buckets, way), way % XD_WAYS, flow->w0, flow->w1, flow, state, ipv6))
		return false;
	flow->slot = flow_settle(flow, way, &buckets, ipv6);
	return true;
}

SUBPROGRAM int connection_insert4(struct xd_flow *flow, __u32 state)
{
	return flow && flow_insert(flow, state, false);
}

SUBPROGRAM int connection_insert6(struct xd_flow *flow, __u32 state)
{
	return flow && flow_insert(flow, state, true);
}

/* Another place, for the one that was found is taken. */
SUBPROGRAM int connection_place4(struct xd_flow *flow)
{
	struct xd_buckets buckets;

	if (!flow || !buckets_of(flow, &buckets, false))
		return false;
	flow_place(flow, &buckets);
	return true;
}

SUBPROGRAM int connection_place6(struct xd_flow *flow)
{
	struct xd_buckets buckets;

	if (!flow || !buckets_of(flow, &buckets, true))
		return false;
	flow_place(flow, &buckets);
	return true;
}
