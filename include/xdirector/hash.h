/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One hash, two uses: with the connection table's random seed it chooses buckets, with a virtual server's seed it is
 * the consistent hash. Keyed multiplication of client by ports and virtual address (NH: without the seed nobody can
 * aim; who has several virtual addresses to choose from gets as many flows into one bucket), then one round of multiply
 * and fold so that both halves are usable. The controller looks for the same buckets when it carries connections over
 * into another table.
 */
#pragma once

#include <linux/types.h>

#define XD_TEMPLATE_SEED                                                                                               \
	0x2545f4914f6cdd1dULL /* xor-ed to the seed for templates: other buckets than the connections' */

static __always_inline __u64 flow_hash(__u64 client, __u64 service, __u64 seed)
{
	__u32 rest = ((__u32)client | (__u32)service >> 16) ^ (__u32)(service >> 32);
	__u64 hash = (__u64)(__u32)((client >> 32) + seed) * (__u32)(rest + (seed >> 32));

	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	return hash ^ hash >> 32;
}

/* 32 bits in the place of an IPv6 address, keyed like the above. Never 0, which no IPv4 client is either. */
static __always_inline __u32 address_fold(const __u64 address[2], __u64 seed)
{
	__u64 other = seed * 0x9e3779b97f4a7c15ULL;
	__u64 fold = (__u64)(__u32)(address[0] + seed) * (__u32)((address[0] >> 32) + (seed >> 32));

	fold += (__u64)(__u32)(address[1] + other) * (__u32)((address[1] >> 32) + (other >> 32));
	fold ^= fold >> 32;
	fold *= 0xd6e8feb86659fd93ULL;
	return fold >> 32 | 1;
}

/* The number of the first bucket of a flow, or of a client; `mask` is the number of buckets less one. */
static __always_inline __u32 xd_first_bucket(__u64 hash, __u32 mask)
{
	return hash & mask;
}

/* Another one. */
static __always_inline __u32 xd_second_bucket(__u64 hash, __u32 mask)
{
	__u32 first = hash & mask, second = hash >> 32 & mask;

	return __builtin_expect(second != first, 1) ? second : second ^ (mask & 1);
}

/* Where in a bucket it goes if it can, and is looked for first: the CPU guesses right more often than not. */
static __always_inline __u32 xd_preferred_way(__u64 hash)
{
	return hash >> 62;
}
