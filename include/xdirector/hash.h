/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One hash, two uses: with the connection table's random seed it chooses buckets, with a virtual server's seed it is
 * the consistent hash. Keyed multiplication of client by ports (NH: without the seed nobody can aim), then one round of
 * multiply and fold so that both halves are usable. The controller looks for the same buckets when it carries
 * connections over into another table.
 */
#pragma once

#include <linux/types.h>

#define XD_TEMPLATE_SEED                                                                                               \
	0x2545f4914f6cdd1dULL /* xor-ed to the seed for templates: other buckets than the connections' */

static __always_inline __u64 flow_hash(__u64 client, __u64 service, __u64 seed)
{
	__u32 ports = (__u32)client | (__u32)service >> 16;
	__u64 hash = (__u64)(__u32)((client >> 32) + seed) * (__u32)(ports + (seed >> 32));

	hash += (service >> 15) * 0x9e3779b97f4a7c15ULL;
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

/* The numbers of a flow's, or a client's, two buckets. */
struct xd_choice {
	__u32 first, second;
};

/* `mask` is the number of buckets less one. */
static __always_inline struct xd_choice xd_choose(__u64 hash, __u32 mask)
{
	__u32 first = hash & mask, second = hash >> 32 & mask;

	return (struct xd_choice){first, __builtin_expect(second != first, 1) ? second : second ^ (mask & 1)};
}
