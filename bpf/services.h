/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which virtual server is a packet for? The exact address, port and protocol; else the mark of its port. */
#pragma once

#include "tables.h"

/* The last range that begins at or below `port`, by bisection; ranges are disjoint and ascending. */
static __always_inline const struct xd_port_range *port_range_find(const struct xd_port_ranges *ranges, __u16 port)
{
	__u32 count = ranges->count, at = 0;

#pragma unroll
	for (__u32 step = XD_MAX_PORT_RANGES / 2; step; step /= 2) {
		__u32 next = (at + step) & (XD_MAX_PORT_RANGES - 1);

		if (next < count && ranges->range[next].first <= port)
			at = next;
	}
	return &ranges->range[at];
}

/* 0: the port has none. */
SUBPROGRAM __u32 port_mark_find(__be32 address, __be16 port, __u8 protocol)
{
	struct xd_marked_address key = {.address = address, .protocol = protocol};
	const struct xd_port_ranges *ranges = bpf_map_lookup_elem(&port_marks, &key);
	const struct xd_port_range *range;
	__u16 number = bpf_ntohs(port);

	if (!ranges || !ranges->count)
		return 0;
	range = port_range_find(ranges, number);
	return range->first <= number && number <= range->last ? range->mark : 0;
}

/* Returns an index of `virtual_servers`, or NULL. */
static __always_inline const __u32 *service_find(const struct xd_flow *flow)
{
	struct xd_service_key key = {
	    .address = flow_address(flow), .port = flow_port(flow), .protocol = flow->protocol, .kind = XD_EXACT};
	const __u32 *index = bpf_map_lookup_elem(&services, &key);
	__u32 mark;

	if (index)
		return index;
	mark = port_mark_find(flow_address(flow), flow_port(flow), flow->protocol);
	if (!mark)
		return NULL;
	key = (struct xd_service_key){.mark = mark, .protocol = flow->protocol, .kind = XD_MARK};
	return bpf_map_lookup_elem(&services, &key);
}

/* Does a slot belong to the virtual server that the packet is for? A mark names no port, and may name no address. */
static __always_inline bool real_server_serves(const struct xd_real_server *server, const struct xd_flow *flow)
{
	return server->protocol == flow->protocol &&
	       (server->virtual_port == flow_port(flow) || !server->virtual_port) &&
	       (server->virtual_address == flow_address(flow) || !server->virtual_address);
}
