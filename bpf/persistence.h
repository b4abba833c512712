/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Templates: which real server a client of a persistent virtual server goes to. A template is one 64-bit word, always
 * stored whole through the pointer: an update of a known key would cost an LRU move and could evict another client.
 */
#pragma once

#include "tables.h"

_Static_assert(sizeof(struct xd_template) == 8, "a template is stored at once");

static __always_inline struct xd_client template_key(const struct xd_flow *flow,
						     const struct xd_virtual_server *virtual, __u32 index)
{
	return (struct xd_client){flow_client_address(flow) & virtual->persistence_mask, index};
}

static __always_inline struct xd_template template_load(const struct xd_template *stored)
{
	union {
		__u64 word;
		struct xd_template value;
	} copy = {.word = READ_ONCE(*(const __u64 *)stored)};

	return copy.value;
}

static __always_inline void template_store(struct xd_template *stored, struct xd_template value)
{
	union {
		struct xd_template value;
		__u64 word;
	} copy = {.value = value};

	WRITE_ONCE(*(__u64 *)stored, copy.word);
}

/* The slot that a template says, if it still runs and its real server takes new connections; else 0. */
static __always_inline __u32 template_slot(const struct xd_client *key, const struct xd_virtual_server *virtual,
					   __u32 tick)
{
	struct xd_template *stored = bpf_map_lookup_elem(&persistence, key);
	struct xd_real_server *server;
	struct xd_template value;

	if (!stored)
		return 0;
	value = template_load(stored);
	/* Another CPU may have read the clock a moment later than this one: hence signed. */
	if ((__s32)(tick - value.seen_tick) > (__s32) virtual->persistence_ticks)
		return 0;
	server = real_server_at(value.slot);
	if (!server || server->state != XD_ACTIVE || server->virtual_server != key->virtual_server)
		return 0;
	return value.slot;
}

/*
 * A new connection of the client goes to `slot`. Provisional, until one of its connections is proven. Two CPUs may
 * write a client's first template at once; the slower one's connection goes its own way, the next ones follow the
 * template.
 */
static __always_inline void template_write(const struct xd_client *key, __u32 slot, __u32 tick)
{
	struct xd_template *stored = bpf_map_lookup_elem(&persistence, key);
	struct xd_template value = {.slot = slot, .seen_tick = tick};

	if (!stored) {
		bpf_map_update_elem(&persistence, key, &value, BPF_NOEXIST);
		return;
	}
	if (stored->slot == slot)
		value.proven = stored->proven;
	template_store(stored, value);
}

/* A connection of the client is in use: its template is too, unless it names another real server by now. */
static __always_inline void template_refresh(const struct xd_flow *flow, const struct xd_real_server *server,
					     bool proven)
{
	__u32 index = server->virtual_server;
	struct xd_virtual_server *virtual = bpf_map_lookup_elem(&virtual_servers, &index);
	struct xd_template *stored;
	struct xd_template value;
	struct xd_client key;

	if (!virtual)
		return;
	key = template_key(flow, virtual, index);
	stored = bpf_map_lookup_elem(&persistence, &key);
	if (!stored)
		return;
	value = template_load(stored);
	if (value.slot != flow->slot)
		return;
	value.seen_tick = flow->tick;
	value.proven |= proven;
	template_store(stored, value);
}
