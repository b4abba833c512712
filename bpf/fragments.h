/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fragments follow the first one of their datagram, which has the ports: where it went is remembered under the
 * datagram's identification. One that comes before its first is left to the kernel, which keeps it for a while and
 * throws it away: nothing answers it, and a datagram for a port that is the kernel's stays whole.
 */
#pragma once

#include "parse.h"

static __always_inline struct xd_fragment_key fragment_key(const struct xd_flow *flow)
{
	struct xd_fragment_key key = {.id = flow->fragment_id};

	if (flow_is_ipv6(flow)) {
		__builtin_memcpy(&key.source, flow->client6, sizeof(key.source));
		__builtin_memcpy(&key.destination, flow->address6, sizeof(key.destination));
		key.protocol = NEXT_FRAGMENT; /* RFC 8200, 4.5: the identification alone tells datagrams apart */
	} else {
		key.source.word[3] = flow_client_address(flow);
		key.destination.word[3] = flow_address(flow);
		key.protocol = flow->transport;
	}
	return key;
}

/* The first fragment went to the flow's slot. */
SUBPROGRAM int fragment_learn(const struct xd_flow *flow)
{
	struct xd_fragmented value = {};
	struct xd_fragment_key key;

	if (!flow)
		return 0;
	key = fragment_key(flow);
	value.slot = flow->slot;
	value.tick = flow->tick;
	return bpf_map_update_elem(&fragments, &key, &value, BPF_ANY) == 0;
}

/* Where the first one went: sets the slot. */
static __always_inline int fragment_follow(struct xd_flow *flow)
{
	struct xd_fragment_key key = fragment_key(flow);
	const struct xd_fragmented *found = bpf_map_lookup_elem(&fragments, &key);

	if (!found || (__s32)(flow->tick - found->tick) > XD_FRAGMENT_SECONDS)
		return verdict_passed_fragment;
	flow->slot = found->slot;
	return verdict_followed;
}
