/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Templates: which real server a client of a persistent virtual server goes to. A table of their own, in the manner of
 * the connections' and by the same protocol (see connections.h): a client may be in any way of two buckets.
 *
 * w0 is all that a reader needs to be sure of: client, virtual server and slot come from one load. Of IPv6 it has a
 * fold of the client; the masked address stands in the bucket's second line, and is read between two looks at w1, whose
 * generation each writer moves on.
 *
 * A template is provisional until a connection of the client is proven. Only expired and provisional ones give way to a
 * new client, and none that was seen in this or the previous tick. When there is no room, the client goes by the
 * consistent hash of its masked address, which its later connections will do, too.
 */
#pragma once

#include "connections.h"

#define TEMPLATE_INDEX_SHIFT 16            /* in w0: above the slot */
#define TEMPLATE_TICK_MASK   0xffffffffULL /* of w1 */
#define TEMPLATE_PROVEN      (1ULL << 32)
#define TEMPLATE_GENERATION  (1ULL << 33) /* one of them */
#define TEMPLATE_GENERATIONS (~0ULL << 33)

/* A client of a persistent virtual server, and the way that it has, or could have. */
struct xd_client {
	__u64 id;         /* as in w0, slot 0 */
	__u64 address[2]; /* masked; zero for IPv4 */
	__u64 w0, w1;     /* of the way, as they were found there */
	__u32 way;        /* which of its eight; WAY_NONE: no room */
	__u32 index;      /* of the virtual server */
};

struct xd_template_buckets {
	struct xd_template_bucket *first, *second;
};

/* The leading `prefix` bits of a word in host byte order. */
static __always_inline __u64 prefix_mask(__u32 prefix)
{
	return prefix >= 64 ? ~0ULL : ~(~0ULL >> prefix);
}

static __always_inline void client_set(struct xd_client *client, const struct xd_flow *flow,
				       const struct xd_virtual_server *virtual, __u32 index)
{
	__u32 prefix = virtual->persistence_prefix;
	__u32 address;

	if (flow_is_ipv6(flow)) {
		client->address[0] = flow->client6[0] & bpf_cpu_to_be64(prefix_mask(prefix));
		client->address[1] = flow->client6[1] & bpf_cpu_to_be64(prefix > 64 ? prefix_mask(prefix - 64) : 0);
		address = address_fold(client->address, settings.hash_seed);
	} else {
		address = flow_client_address(flow) & bpf_htonl(prefix_mask(prefix) >> 32);
	}
	/* One more than the index: a client whose masked address is 0.0.0.0 does not look like a free way. */
	client->id = (__u64)address << 32 | (__u64)(index + 1) << TEMPLATE_INDEX_SHIFT;
	client->index = index;
}

static __always_inline bool template_buckets_of(const struct xd_client *client, struct xd_template_buckets *buckets)
{
	__u64 hash = flow_hash(client->id, 0, settings.hash_seed ^ XD_TEMPLATE_SEED);
	__u32 first = xd_first_bucket(hash, settings.template_buckets - 1);
	__u32 second = xd_second_bucket(hash, settings.template_buckets - 1);

	buckets->first = bpf_map_lookup_elem(&persistence, &first);
	buckets->second = bpf_map_lookup_elem(&persistence, &second);
	return buckets->first && buckets->second;
}

static __always_inline struct xd_template_bucket *template_bucket_of(struct xd_template_buckets *buckets, __u32 way)
{
	return way < XD_WAYS ? buckets->first : buckets->second;
}

/* Is the client in this way? Then w0 and w1 are what was found. */
static __always_inline bool template_read(const struct xd_template_bucket *bucket, __u32 number,
					  struct xd_client *client)
{
	const struct xd_template *way = &bucket->way[number];

	client->w1 = READ_ONCE(way->w1);
	client->w0 = READ_ONCE(way->w0);
	return !((client->w0 ^ client->id) >> TEMPLATE_INDEX_SHIFT) &&
	       READ_ONCE(bucket->client[number][0]) == client->address[0] &&
	       READ_ONCE(bucket->client[number][1]) == client->address[1] && READ_ONCE(way->w0) == client->w0 &&
	       !((READ_ONCE(way->w1) ^ client->w1) & TEMPLATE_GENERATIONS);
}

static __always_inline bool template_find(struct xd_template_buckets *buckets, struct xd_client *client)
{
#pragma unroll
	for (__u32 i = 0; i < 2 * XD_WAYS; i++) {
		client->way = i;
		if (!((READ_ONCE(template_bucket_of(buckets, i)->way[i % XD_WAYS].w0) ^ client->id) >>
		      TEMPLATE_INDEX_SHIFT) &&
		    template_read(template_bucket_of(buckets, i), i % XD_WAYS, client))
			return true;
	}
	return false;
}

/* Ticks since it was in use. Another CPU may have read the clock a moment later than this one: not old but new. */
static __always_inline __u32 template_age(__u64 w1, __u32 tick)
{
	__s32 age = tick - (__u32)w1;

	return age < 0 ? 0 : age;
}

#define TEMPLATE_RANK_STEP (1U << 28)

/* What it costs to give up a template, as way_cost() of a connection. */
SUBPROGRAM __u32 template_cost(__u64 w0, __u64 w1, __u32 tick)
{
	__u32 index = (w0 >> TEMPLATE_INDEX_SHIFT & 0xffff) - 1;
	struct xd_virtual_server *virtual = bpf_map_lookup_elem(&virtual_servers, &index);
	__u32 age = template_age(w1, tick);
	__u32 rank = 2;

	if (w0 == WAY_FREE)
		return COST_FREE;
	if (w0 == WAY_LOCKED || age <= 1)
		return COST_NEVER;
	if (!virtual || age > virtual->persistence_ticks)
		rank = 1;
	else if (w1 & TEMPLATE_PROVEN)
		return COST_NEVER;
	return rank * TEMPLATE_RANK_STEP - (age < TEMPLATE_RANK_STEP ? age : TEMPLATE_RANK_STEP - 1);
}

/* Where the client's template could go. */
static __always_inline void template_place(struct xd_template_buckets *buckets, struct xd_client *client, __u32 tick)
{
	__u32 least = COST_NEVER;

	client->way = WAY_NONE;
#pragma unroll
	for (__u32 i = 0; i < 2 * XD_WAYS; i++) {
		const struct xd_template *way = &template_bucket_of(buckets, i)->way[i % XD_WAYS];
		__u64 w0 = READ_ONCE(way->w0), w1 = READ_ONCE(way->w1);
		__u32 cost = least == COST_FREE ? COST_NEVER : w0 == WAY_FREE ? COST_FREE : template_cost(w0, w1, tick);

		if (cost < least) {
			least = cost;
			client->way = i;
			client->w0 = w0;
			client->w1 = w1;
		}
	}
}

/*
 * Looks the client up. Returns the slot that its template says, if that still runs and its real server takes new
 * connections; else 0. In any case template_write() knows from it where to write.
 */
SUBPROGRAM __u32 template_look(struct xd_client *client, __u32 tick, __u32 timeout)
{
	struct xd_template_buckets buckets;
	struct xd_real_server *server;
	__u32 slot;

	if (!client)
		return 0;
	client->way = WAY_NONE;
	if (!template_buckets_of(client, &buckets))
		return 0;
	if (!template_find(&buckets, client)) {
		template_place(&buckets, client, tick);
		return 0;
	}
	slot = client->w0 & SLOT_MASK;
	if (template_age(client->w1, tick) > timeout)
		return 0;
	server = real_server_at(slot);
	return server && server->state == XD_ACTIVE && server->virtual_server == client->index ? slot : 0;
}

/* The client is there twice, for two CPUs wrote it at once: only the lower way stays. */
static __always_inline void template_settle(struct xd_template_buckets *buckets, struct xd_client *client, __u32 mine)
{
	__u64 w0 = client->w0;

#pragma unroll
	for (__u32 i = 0; i < 2 * XD_WAYS; i++) {
		struct xd_template *way = &template_bucket_of(buckets, i)->way[i % XD_WAYS];

		if (i == mine || (READ_ONCE(way->w0) ^ client->id) >> TEMPLATE_INDEX_SHIFT ||
		    !template_read(template_bucket_of(buckets, i), i % XD_WAYS, client))
			continue;
		if (i < mine) {
			struct xd_template_bucket *bucket = template_bucket_of(buckets, mine);

			__sync_val_compare_and_swap(&bucket->way[mine % XD_WAYS].w0, w0, WAY_FREE);
			return;
		}
		__sync_val_compare_and_swap(&way->w0, client->w0, WAY_FREE);
	}
}

/*
 * A new connection of the client goes to `slot`. Two CPUs may write a client's first template at once; the connection
 * of the one that loses goes its own way, the next ones follow the template.
 */
SUBPROGRAM int template_write(struct xd_client *client, __u32 slot, __u32 tick)
{
	struct xd_template_buckets buckets;
	struct xd_template_bucket *bucket;
	struct xd_template *way;
	__u64 w0, w1, old_w0;
	__u32 number;

	if (!client || client->way == WAY_NONE || !template_buckets_of(client, &buckets))
		return 0;
	bucket = template_bucket_of(&buckets, client->way);
	number = client->way % XD_WAYS;
	way = &bucket->way[number];
	old_w0 = client->w0;
	w0 = client->id | (slot & SLOT_MASK);
	if (__sync_val_compare_and_swap(&way->w0, old_w0, WAY_LOCKED) != old_w0)
		return 0;
	w1 = READ_ONCE(way->w1);
	if (old_w0 != WAY_FREE && (w1 ^ client->w1) & TEMPLATE_TICK_MASK && old_w0 != w0) {
		__sync_lock_test_and_set(&way->w0, old_w0); /* it was seen meanwhile */
		return 0;
	}
	w1 = (w1 + TEMPLATE_GENERATION & TEMPLATE_GENERATIONS) | (old_w0 == w0 ? w1 & TEMPLATE_PROVEN : 0) | tick;
	WRITE_ONCE(way->w1, w1);
	WRITE_ONCE(bucket->client[number][0], client->address[0]);
	WRITE_ONCE(bucket->client[number][1], client->address[1]);
	__sync_lock_test_and_set(&way->w0, w0);
	client->w0 = w0;
	if (old_w0 >> TEMPLATE_INDEX_SHIFT != w0 >> TEMPLATE_INDEX_SHIFT)
		template_settle(&buckets, client, client->way);
	return 1;
}

/* A connection of the client is in use: its template is too, unless it names another real server by now. */
static __always_inline void template_refresh(const struct xd_flow *flow, const struct xd_real_server *server,
					     bool proven)
{
	__u32 index = server->virtual_server;
	struct xd_virtual_server *virtual = bpf_map_lookup_elem(&virtual_servers, &index);
	struct xd_template_buckets buckets;
	struct xd_client client = {};
	struct xd_template *way;
	__u64 w1;

	if (!virtual || !virtual->persistence_ticks)
		return;
	client_set(&client, flow, virtual, index);
	if (!template_buckets_of(&client, &buckets) || !template_find(&buckets, &client) ||
	    (client.w0 & SLOT_MASK) != flow->slot)
		return;
	way = &template_bucket_of(&buckets, client.way)->way[client.way % XD_WAYS];
	w1 = (client.w1 & ~TEMPLATE_TICK_MASK) | flow->tick | (proven ? TEMPLATE_PROVEN : 0);
	if (w1 != client.w1)
		__sync_val_compare_and_swap(&way->w1, client.w1, w1);
}
