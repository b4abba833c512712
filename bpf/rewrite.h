/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Direct routing: new MAC addresses, nothing else, and out by the interface that the real server is reached by. */
#pragma once

#include "tables.h"

#define WORD_STATE_SHIFT    48 /* in xd_real_server.target, behind the MAC address */
#define WORD_DELIVERY_SHIFT 56

static __always_inline __u32 target_state(__u64 target)
{
	return target >> WORD_STATE_SHIFT & 0xff;
}

static __always_inline __u32 target_delivery(__u64 target)
{
	return target >> WORD_DELIVERY_SHIFT;
}

/* Are packets of known connections sent there? One look at the word's upper two bytes. */
static __always_inline bool target_serves(__u64 target)
{
	__u32 upper = target >> WORD_STATE_SHIFT;

	return likely(upper == (XD_BY_MAC << 8 | XD_ACTIVE)) || upper == (XD_BY_MAC << 8 | XD_DRAINING);
}

/* Both addresses in two stores. Needs twelve bytes of frame. */
static __always_inline void rewrite_macs(void *frame, __u64 target, __u64 source)
{
	*(__u64 *)frame = (target & (1ULL << 48) - 1) | source << 48;
	*(__u32 *)(frame + 8) = source >> 16;
}

static __always_inline int rewrite_send(__u32 ingress_ifindex, const struct xd_real_server *server)
{
	return likely(server->ifindex == ingress_ifindex) ? XDP_TX : bpf_redirect(server->ifindex, 0);
}
