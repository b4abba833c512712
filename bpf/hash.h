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
