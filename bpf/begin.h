/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet without a connection: find its virtual server, choose a real server, learn.
 *
 * A SYN or a datagram follows its client's template, else the scheduler. So does any packet whose real server has
 * failed. A TCP packet in mid-connection (there was a failover, say) follows the template, else the consistent hash,
 * by which another director would have chosen the same.
 */
#pragma once

#include "connections.h"
#include "persistence.h"
#include "rewrite.h"
#include "schedule.h"
#include "services.h"

/* Sets the slot and says by what it was chosen, or why there is none. */
static __always_inline int server_choose(struct xd_flow *flow, struct xd_virtual_server *virtual,
					 const struct xd_client *client, bool by_hash)
{
	struct xd_cycle cycle;

	if (virtual->persistence_ticks) {
		flow->slot = template_slot(client, virtual, flow->tick);
		if (flow->slot)
			return verdict_persisted;
	}
	cycle = cycle_load(virtual);
	if (!cycle.length)
		return verdict_dropped_no_real_server;
	if (by_hash) {
		flow->slot = schedule_hash(virtual, cycle, flow);
		return verdict_hashed;
	}
	flow->slot = schedule_next(virtual, cycle);
	return verdict_scheduled;
}

/* NO_VERDICT when packets can be sent to it. */
static __always_inline int server_check(const struct xd_flow *flow)
{
	struct xd_real_server *server = real_server_at(flow->slot);

	if (!flow->slot || !server || !real_server_serves(server, flow))
		return verdict_dropped_bad_table;
	return target_has_mac(READ_ONCE(server->target)) ? NO_VERDICT : verdict_dropped_no_mac;
}

/* The flow's own old way if it has one, so that it is never there twice; else a free or a lesser one. */
static __always_inline __u32 place_find(const struct xd_flow *flow)
{
	return flow->w0 ? flow->way : connection_place(flow->client, flow->service, flow->tick);
}

/*
 * Writes the entry at `way`, or elsewhere when somebody was faster. May change the slot to what that one chose. (Twice
 * in full, not a loop: as clang 14 lays that out, Linux 6.1 takes it for a forbidden back-edge.)
 */
static __always_inline bool connection_learn(struct xd_flow *flow, __u32 way)
{
	__u32 state = flow->event == EVENT_CLOSE ? XD_CLOSING : XD_OPENING;

	if (way == WAY_NONE)
		return false;
	if (connection_write(flow, way, state))
		return true;
	flow->w0 = 0; /* it is not the flow's own any more */
	way = place_find(flow);
	return way != WAY_NONE && connection_write(flow, way, state);
}

static __always_inline int flow_begin(struct xd_flow *flow)
{
	bool opens = flow->event == EVENT_OPEN || flow->protocol == PROTOCOL_UDP || flow->failed;
	const __u32 *index = service_find(flow);
	__u32 way = WAY_NONE;
	struct xd_virtual_server *virtual;
	struct xd_client client;
	int verdict, trouble;

	if (!index)
		return verdict_passed_no_service;
	virtual = bpf_map_lookup_elem(&virtual_servers, index);
	if (!virtual)
		return verdict_dropped_bad_table;
	client = template_key(flow, virtual, *index);
	if (flow->event != EVENT_RESET)
		way = place_find(flow);
	verdict = server_choose(flow, virtual, &client, !opens || way == WAY_NONE);
	if (verdict == verdict_dropped_no_real_server)
		return verdict;
	trouble = server_check(flow);
	if (trouble != NO_VERDICT)
		return trouble;
	if (flow->event == EVENT_RESET)
		return verdict;
	if (!connection_learn(flow, way)) {
		server_choose(flow, virtual, &client, true); /* where its next packets will go too */
		return verdict_unlearned;
	}
	if (virtual->persistence_ticks)
		template_write(&client, flow->slot, flow->tick);
	return flow->failed ? verdict_rescheduled : verdict;
}

/* The verdict; with one that forwards, the flow's slot is set. */
SUBPROGRAM int connection_begin(struct xd_flow *flow)
{
	return flow ? flow_begin(flow) : verdict_dropped_bad_table;
}
