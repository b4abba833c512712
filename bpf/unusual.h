/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is legal but rare: ICMP errors about a connection, IP fragments, IPv6 extension headers, neighbour
 * solicitations.
 *
 * An ICMP error quotes a packet that a real server has sent: turned round, that is the connection it belongs to. It
 * goes where the connection's packets go, and changes nothing. A first fragment has the ports; where it went is
 * remembered under the datagram's identification, and later fragments follow. One that comes before its first is left
 * to the kernel, which keeps it for a while and throws it away: nothing answers it, and a datagram of a port that is
 * the kernel's stays whole.
 */
#pragma once

#include "fence.h"
#include "interfaces.h"
#include "parse.h"

#define MAX_EXTENSION_HEADERS 4 /* before the transport header; more than that is left to the kernel */
#define IP_OFFSET             0x1fff
#define IP6_OFFSET            0xfff8
#define IP6_MORE              0x0001

enum next_header {
	NEXT_ICMP = 1,
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_DESTINATION = 60,
};

struct xd_icmp {
	__u8 type, code;
	__be16 checksum;
	__be32 rest;
};

/* Any of hop-by-hop, routing, destination options: the first two bytes are alike. */
struct xd_extension {
	__u8 next, length; /* in units of eight bytes, the first not counted */
	__u8 first[6];
};

struct xd_fragment_header {
	__u8 next, reserved;
	__be16 offset;
	__be32 id;
};

static __always_inline bool is_icmp_error(__u8 type)
{
	/* Destination unreachable (fragmentation needed among them), source quench, time exceeded, parameter problem.
	 */
	return type == 3 || type == 4 || type == 11 || type == 12;
}

static __always_inline bool is_icmp6_error(__u8 type)
{
	return type >= 1 && type <= 4; /* unreachable, packet too big, time exceeded, parameter problem */
}

/* The quoted ports, from the client's side. */
static __always_inline bool take_quoted_ports(struct xd_cursor *cursor, struct xd_ports *ports)
{
	const struct xd_ports *quoted = cursor_take(cursor, sizeof(*quoted));

	if (!quoted)
		return false;
	*ports = (struct xd_ports){.source = quoted->destination, .destination = quoted->source};
	return true;
}

/* The cursor is at the ICMP header; `outer` is whom it is sent to. */
static __always_inline int parse_icmp_error(struct xd_cursor *cursor, __be32 outer, struct xd_flow *flow)
{
	const struct xd_icmp *icmp = cursor_take(cursor, sizeof(*icmp));
	const struct iphdr *quoted;
	struct xd_ports ports;

	if (!icmp || !is_icmp_error(icmp->type))
		return verdict_passed_protocol;
	quoted = take_ipv4(cursor);
	if (!quoted || quoted->saddr != outer || !quoted->daddr || !is_tcp_or_udp(quoted->protocol) ||
	    quoted->frag_off & bpf_htons(IP_OFFSET) || !take_quoted_ports(cursor, &ports))
		return verdict_passed_protocol;
	flow->event = EVENT_ERROR;
	flow_set_ipv4(flow, quoted->daddr, quoted->saddr, ports, quoted->protocol);
	return NO_VERDICT;
}

static __always_inline int parse_ipv4_unusual(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct iphdr *ip = take_ipv4(cursor);
	const struct xd_ports *ports;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_bit(ip->daddr)))
		return verdict_passed_no_service;
	flow->fragment_id = ip->id;
	if (ip->protocol == NEXT_ICMP && !(ip->frag_off & bpf_htons(IP_FRAGMENT)))
		return parse_icmp_error(cursor, ip->daddr, flow);
	if (!is_tcp_or_udp(ip->protocol))
		return verdict_passed_protocol;
	if (ip->frag_off & bpf_htons(IP_OFFSET)) {
		flow->fragment = FRAGMENT_LATER;
		flow_set_ipv4(flow, ip->saddr, ip->daddr, (struct xd_ports){}, ip->protocol);
		return NO_VERDICT;
	}
	flow->fragment = FRAGMENT_FIRST;
	ports = parse_transport(cursor, ip->protocol, flow);
	if (!ports)
		return verdict_passed_malformed;
	flow_set_ipv4(flow, ip->saddr, ip->daddr, *ports, ip->protocol);
	return NO_VERDICT;
}

/*
 * Walks the extension headers; a fragment header among them says whether the packet is one. Returns the protocol behind
 * them, or NEXT_HOP_BY_HOP, which nothing else is, when there are too many or the frame ends.
 */
static __always_inline __u8 skip_extensions(struct xd_cursor *cursor, __u8 next, struct xd_flow *flow)
{
#pragma unroll
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		if (next == NEXT_FRAGMENT) {
			const struct xd_fragment_header *header = cursor_take(cursor, sizeof(*header));

			if (!header)
				return NEXT_HOP_BY_HOP;
			next = header->next;
			flow->fragment_id = header->id;
			if (header->offset & bpf_htons(IP6_OFFSET)) {
				flow->fragment = FRAGMENT_LATER;
				return next;
			}
			if (header->offset & bpf_htons(IP6_MORE))
				flow->fragment = FRAGMENT_FIRST;
		} else if (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION) {
			const struct xd_extension *header = cursor_take(cursor, sizeof(*header));

			if (!header)
				return NEXT_HOP_BY_HOP;
			next = header->next;
			cursor->at += header->length * 8;
		} else {
			return next;
		}
	}
	return next == NEXT_FRAGMENT || next == NEXT_ROUTING || next == NEXT_DESTINATION ? NEXT_HOP_BY_HOP : next;
}

/* As parse_icmp_error(). The quoted packet may be a first fragment. */
static __always_inline int parse_icmp6_error(struct xd_cursor *cursor, const struct in6_addr *outer,
					     struct xd_flow *flow)
{
	const struct xd_icmp *icmp = cursor_take(cursor, sizeof(*icmp));
	const struct xd_fragment_header *fragment;
	const struct ipv6hdr *quoted;
	struct xd_ports ports;
	__u64 words[2], of_outer[2];
	__u8 protocol;

	if (!icmp || !is_icmp6_error(icmp->type))
		return verdict_passed_protocol;
	quoted = take_ipv6(cursor);
	if (!quoted)
		return verdict_passed_protocol;
	address_load(words, &quoted->saddr);
	address_load(of_outer, outer);
	if (words[0] != of_outer[0] || words[1] != of_outer[1])
		return verdict_passed_protocol;
	protocol = quoted->nexthdr;
	if (protocol == NEXT_FRAGMENT) {
		fragment = cursor_take(cursor, sizeof(*fragment));
		if (!fragment || fragment->offset & bpf_htons(IP6_OFFSET))
			return verdict_passed_protocol;
		protocol = fragment->next;
	}
	if (!is_tcp_or_udp(protocol) || !take_quoted_ports(cursor, &ports))
		return verdict_passed_protocol;
	flow->event = EVENT_ERROR;
	flow_set_ipv6(flow, &quoted->daddr, &quoted->saddr, ports, protocol);
	return NO_VERDICT;
}

static __always_inline int parse_ipv6_unusual(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct ipv6hdr *ip = take_ipv6(cursor);
	const struct xd_ports *ports;
	__u8 protocol;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_bit6((const struct xd_address *)&ip->daddr)))
		return verdict_passed_no_service;
	protocol = skip_extensions(cursor, ip->nexthdr, flow);
	if (flow->fragment == FRAGMENT_LATER) {
		flow_set_ipv6(flow, &ip->saddr, &ip->daddr, (struct xd_ports){}, protocol);
		return NO_VERDICT;
	}
	if (protocol == NEXT_ICMP6)
		return parse_icmp6_error(cursor, &ip->daddr, flow);
	if (!is_tcp_or_udp(protocol))
		return verdict_passed_protocol;
	ports = parse_transport(cursor, protocol, flow);
	if (!ports)
		return verdict_passed_malformed;
	flow_set_ipv6(flow, &ip->saddr, &ip->daddr, *ports, protocol);
	return NO_VERDICT;
}

/* Reads the frame again, from its beginning. */
static __always_inline int parse_unusual(struct xdp_md *ctx, struct xd_flow *flow)
{
	struct xd_cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__be16 protocol = parse_link(&cursor);

	return protocol == bpf_htons(ETH_P_IPV6) ? parse_ipv6_unusual(&cursor, flow)
						 : parse_ipv4_unusual(&cursor, flow);
}

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

/*
 * What is UNUSUAL. NO_VERDICT: it has a flow like any other. A later fragment has its verdict, and the slot that goes
 * with it.
 */
SUBPROGRAM int packet_read_unusual(struct xdp_md *ctx, struct xd_flow *flow)
{
	int verdict = flow ? parse_unusual(ctx, flow) : verdict_dropped_bad_table;

	return verdict == NO_VERDICT && flow->fragment == FRAGMENT_LATER ? fragment_follow(flow) : verdict;
}
