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

/* Sets the slot, by the consistent hash, or by the scheduler. False: there is no real server. */
static __always_inline bool server_choose(struct xd_flow *flow, struct xd_virtual_server *virtual,
					  const struct xd_client *client, bool by_hash)
{
	bool by_turn = virtual->scheduler == XD_BY_TURN && !by_hash;
	bool by_maglev = virtual->scheduler == XD_BY_MAGLEV || (virtual->scheduler == XD_BY_TURN && by_hash);
	struct xd_cycle cycle = cycle_load(by_maglev ? &virtual->maglev : &virtual->cycle);

	if (!cycle.length)
		return false;
	flow->slot = by_turn ? schedule_next(virtual, cycle) : schedule_hash(virtual, cycle, flow, client);
	return true;
}

/* NO_VERDICT when packets can be sent to it. */
static __always_inline int server_check(const struct xd_flow *flow)
{
	struct xd_real_server *server = real_server_at(flow->slot);

	if (!flow->slot || !server)
		return verdict_dropped_bad_table;
	if (!(flow_is_ipv6(flow) ? real_server_serves(server, flow, true) : real_server_serves(server, flow, false)))
		return verdict_dropped_bad_table;
	return target_delivery(READ_ONCE(server->target)) == XD_UNKNOWN ? verdict_dropped_no_mac : NO_VERDICT;
}

static __always_inline bool entry_insert(struct xd_flow *flow, __u32 state)
{
	return flow_is_ipv6(flow) ? connection_insert6(flow, state) : connection_insert4(flow, state);
}

/*
 * Makes an entry. May change the slot to what a faster CPU has chosen. (Twice in full, not a loop: as clang 14 lays
 * that out, Linux 6.1 takes it for a forbidden back-edge.)
 */
static __always_inline bool connection_learn(struct xd_flow *flow)
{
	__u32 state = flow->event == EVENT_CLOSE ? XD_CLOSING : XD_OPENING;

	if (likely(entry_insert(flow, state)))
		return true;
	if (!(flow_is_ipv6(flow) ? connection_place6(flow) : connection_place4(flow)) || flow->way == WAY_NONE)
		return false;
	return entry_insert(flow, state);
}

/* Does the packet open a connection? Then it is the scheduler's, else the consistent hash's. */
static __always_inline bool flow_opens(const struct xd_flow *flow)
{
	if (flow->event == EVENT_RESET || flow->event == EVENT_ERROR)
		return false;
	return flow->event == EVENT_OPEN || flow_is_udp(flow) || flow->failed;
}

/* Is an entry to be made for it? */
static __always_inline bool flow_is_worth(const struct xd_flow *flow, const struct xd_virtual_server *virtual)
{
	if (flow->event == EVENT_RESET || flow->event == EVENT_ERROR)
		return false;
	return !(virtual->flags & XD_ONE_PACKET && flow_is_udp(flow));
}

/* Sets the slot: by the client's template, else by the scheduler or the consistent hash. */
static __always_inline int flow_choose(struct xd_flow *flow, struct xd_virtual_server *virtual,
				       struct xd_client *client, __u32 index, bool learns)
{
	bool crowded = learns && flow->way == WAY_NONE; /* no entry: by the hash, as its next packets */
	int verdict = flow_opens(flow) ? verdict_scheduled : verdict_hashed;

	if (virtual->persistence_ticks) {
		client_set(client, flow, virtual, index);
		flow->slot = template_look(client, flow->tick, virtual->persistence_ticks);
		if (flow->slot)
			return verdict_persisted;
		if (client->way == WAY_NONE)
			verdict = verdict_unpersisted;
	}
	return server_choose(flow, virtual, client, crowded || verdict != verdict_scheduled)
		   ? verdict
		   : verdict_dropped_no_real_server;
}

static __always_inline int flow_begin(struct xd_flow *flow)
{
	const __u32 *index = service_find(flow);
	struct xd_virtual_server *virtual;
	struct xd_client client = {.way = WAY_NONE};
	int verdict, trouble;
	bool learns;

	if (!index)
		return verdict_passed_no_service;
	virtual = bpf_map_lookup_elem(&virtual_servers, index);
	if (!virtual)
		return verdict_dropped_bad_table;
	learns = flow_is_worth(flow, virtual);
	verdict = flow_choose(flow, virtual, &client, *index, learns);
	if (verdict == verdict_dropped_no_real_server)
		return verdict;
	trouble = server_check(flow);
	if (trouble != NO_VERDICT)
		return trouble;
	if (!learns)
		return verdict;
	if (flow->way == WAY_NONE || !connection_learn(flow)) {
		if (verdict != verdict_persisted)
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
