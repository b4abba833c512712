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

/* The mark of a port; 0: it has none. */
static __always_inline __u32 port_mark(const struct xd_port_ranges *ranges, __be16 port)
{
	const struct xd_port_range *range;
	__u16 number = bpf_ntohs(port);

	if (!ranges || !ranges->count)
		return 0;
	range = port_range_find(ranges, number);
	return range->first <= number && number <= range->last ? range->mark : 0;
}

SUBPROGRAM __u32 port_mark_find(__be32 address, __be16 port, __u8 protocol)
{
	struct xd_marked_address key = {.address = address, .protocol = protocol};

	return port_mark(bpf_map_lookup_elem(&port_marks, &key), port);
}

SUBPROGRAM __u32 port_mark_find6(const struct xd_address *address, __be16 port, __u8 protocol)
{
	struct xd_marked_address6 key = {.protocol = protocol};

	if (!address)
		return 0;
	key.address = *address;
	return port_mark(bpf_map_lookup_elem(&port_marks6, &key), port);
}

static __always_inline const __u32 *service_find4(const struct xd_flow *flow)
{
	__u8 protocol = flow->transport;
	struct xd_service_key key = {
	    .address = flow_address(flow), .port = flow_port(flow), .protocol = protocol, .kind = XD_EXACT};
	const __u32 *index = bpf_map_lookup_elem(&services, &key);
	__u32 mark;

	if (index)
		return index;
	mark = port_mark_find(flow_address(flow), flow_port(flow), protocol);
	if (!mark)
		return NULL;
	key = (struct xd_service_key){.mark = mark, .protocol = protocol, .kind = XD_MARK};
	return bpf_map_lookup_elem(&services, &key);
}

static __always_inline const __u32 *service_find6(const struct xd_flow *flow)
{
	__u8 protocol = flow->transport & ~XD_IPV6;
	struct xd_service_key6 key = {.port = flow_port(flow), .protocol = protocol, .kind = XD_EXACT};
	const __u32 *index;
	__u32 mark;

	__builtin_memcpy(&key.address, flow->address6, sizeof(key.address));
	index = bpf_map_lookup_elem(&services6, &key);
	if (index)
		return index;
	mark = port_mark_find6(&key.address, flow_port(flow), protocol);
	if (!mark)
		return NULL;
	__builtin_memset(&key, 0, sizeof(key));
	key.mark = mark;
	key.protocol = protocol;
	key.kind = XD_MARK;
	return bpf_map_lookup_elem(&services6, &key);
}

/* Returns an index of `virtual_servers`, or NULL. */
static __always_inline const __u32 *service_find(const struct xd_flow *flow)
{
	return flow_is_ipv6(flow) ? service_find6(flow) : service_find4(flow);
}

static __always_inline bool address_serves6(const struct xd_address *address, const struct xd_flow *flow)
{
	const __u64 *words = (const __u64 *)address;

	return (words[0] == flow->address6[0] && words[1] == flow->address6[1]) || !(words[0] | words[1]);
}

/* Does a slot belong to the virtual server that the packet is for? A mark names no port, and may name no address. */
static __always_inline bool real_server_serves(const struct xd_real_server *server, const struct xd_flow *flow,
					       bool ipv6)
{
	__be32 address = server->virtual_address.word[3]; /* of IPv4 */

	if (server->transport != flow->transport || (server->virtual_port != flow_port(flow) && server->virtual_port))
		return false;
	return ipv6 ? address_serves6(&server->virtual_address, flow) : address == flow_address(flow) || !address;
}
