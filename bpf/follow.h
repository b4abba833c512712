/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet of a known connection. */
#pragma once

#include "connections.h"
#include "persistence.h"
#include "rewrite.h"
#include "services.h"

/*
 * The connection has gone on: into another tick, or into another state. False: it is over, and what comes now is a new
 * one (its time had run out, or it was closing and this is a SYN).
 */
static __always_inline bool flow_touch(const struct xd_flow *flow, const struct xd_real_server *server,
				       struct xd_buckets *buckets)
{
	bool later_tick = way_age(flow->w1, flow->tick) > 0;
	__u32 state = way_state(flow->w1), next;

	if (way_expired(flow->w1, flow->tick, server))
		return false;
	if (flow->event == EVENT_ERROR)
		return true;
	if (state == XD_CLOSING && flow->event == EVENT_OPEN)
		return false;
	next = connection_next_state(state, flow->event, later_tick);
	if (next == state && !later_tick)
		return true;
	__sync_val_compare_and_swap(&way_of(buckets, flow->way)->w1, flow->w1, way_w1(flow->w1, next, flow->tick));
	if (later_tick && server->persistent)
		template_refresh(flow, server, next == XD_PROVEN);
	return true;
}

/*
 * The real server of the flow's connection; NULL when it has none that goes on, `failed` when it has one no more. Then
 * the flow's way is where a new entry belongs.
 */
static __always_inline struct xd_real_server *flow_follow(struct xd_flow *flow, bool ipv6)
{
	struct xd_real_server *server;
	struct xd_buckets buckets;
	__u32 state;

	flow->way = WAY_NONE;
	flow->hash = flow_hash(flow->client, flow->service, settings.hash_seed);
	if (!buckets_of(flow, &buckets, ipv6))
		return NULL;
	if (!bucket_find(buckets.first, 0, buckets.preferred, flow, ipv6) &&
	    !bucket_find(buckets.second, XD_WAYS, buckets.preferred, flow, ipv6)) {
		flow_place(flow, &buckets);
		return NULL;
	}
	flow->slot = flow->w0 & SLOT_MASK;
	server = real_server_at(flow->slot);
	if (!server || !real_server_serves(server, flow, ipv6))
		return NULL;
	state = target_state(READ_ONCE(server->target));
	if (unlikely(state != XD_ACTIVE && state != XD_DRAINING)) {
		flow->failed = state == XD_FAILED;
		return NULL;
	}
	return connection_is_steady(flow) || flow_touch(flow, server, &buckets) ? server : NULL;
}

/* True: the flow has a connection that goes on, and its slot. */
SUBPROGRAM int connection_follow4(struct xd_flow *flow)
{
	return flow && flow_follow(flow, false);
}

SUBPROGRAM int connection_follow6(struct xd_flow *flow)
{
	return flow && flow_follow(flow, true);
}
