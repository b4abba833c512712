/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one exit's bookkeeping: a packet is counted under its verdict, and for the real server it went to. */
#pragma once

#include "tables.h"

static __always_inline void count_verdict(__u32 verdict)
{
	__u32 zero = 0;
	__u64 *counter = bpf_map_lookup_elem(&counters, &zero);

	if (counter && verdict < XD_VERDICT_COUNT)
		counter[verdict]++;
}

static __always_inline void count_forwarded(__u32 slot, __u32 bytes, __u32 verdict)
{
	struct xd_real_server_stats *stats = bpf_map_lookup_elem(&real_server_stats, &slot);

	if (!stats)
		return;
	stats->packets++;
	stats->bytes += bytes;
	if (unlikely(verdict != verdict_forwarded && verdict != verdict_unlearned && verdict != verdict_followed))
		stats->connections++;
}

/* The list's actions as sets of verdicts. */
#define ACTION_IS(action, initial)         (#action[0] == (initial))
#define FORWARD_BIT(name, action, meaning) | (__u64)ACTION_IS(action, 'F') << verdict_##name
#define DROP_BIT(name, action, meaning)    | (__u64)ACTION_IS(action, 'D') << verdict_##name

static __always_inline bool verdict_forwards(__u32 verdict)
{
	return (0 XD_VERDICTS(FORWARD_BIT)) >> verdict & 1;
}

static __always_inline bool verdict_drops(__u32 verdict)
{
	return (0 XD_VERDICTS(DROP_BIT)) >> verdict & 1;
}
