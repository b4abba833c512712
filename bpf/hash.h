/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One hash, two uses: with the connection table's random seed it chooses buckets, with a virtual server's seed it is
 * the consistent hash. Keyed multiplication of client by ports (NH: without the seed nobody can aim), then one round of
 * multiply and fold so that both halves are usable.
 */
#pragma once

#include "base.h"

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
