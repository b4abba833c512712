/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to a flow. A cursor does all the bounds checks; link layer, network and transport follow it.
 *
 * An ICMP error quotes a packet that a real server has sent: turned round, that is the connection it belongs to. It
 * goes where the connection's packets go, and changes nothing. A first fragment has the ports; later ones only say what
 * datagram they are of (see fragments.h).
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <xdirector/address_filter.h>
#include <xdirector/hash.h>

#include "tables.h"

#define MAX_VLAN_TAGS         2
#define MAX_EXTENSION_HEADERS 4 /* of IPv6, before the transport header; more than that is left to the kernel */

#define IP_FRAGMENT 0x3fff /* more fragments, or an offset */
#define IP_OFFSET   0x1fff
#define IP6_OFFSET  0xfff8
#define IP6_MORE    0x0001

struct xd_cursor {
	void *at;
	void *end;
};

/* As struct ethhdr, which is packed and would be read byte by byte. */
struct xd_ethernet {
	__u8 destination[6], source[6];
	__be16 protocol;
};

struct xd_vlan_tag {
	__be16 control;
	__be16 protocol;
};

/* The next `size` bytes, or NULL when the frame ends before. */
static __always_inline void *cursor_take(struct xd_cursor *cursor, __u32 size)
{
	void *here = cursor->at;

	if (here + size > cursor->end)
		return NULL;
	cursor->at = here + size;
	return here;
}

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* The protocol behind up to two VLAN tags; 0 when the frame ends in them. */
static __always_inline __be16 parse_link(struct xd_cursor *cursor)
{
	struct xd_ethernet *ethernet = cursor_take(cursor, sizeof(*ethernet));
	__be16 protocol;

	if (!ethernet)
		return 0;
	protocol = ethernet->protocol;
	if (likely(protocol == bpf_htons(ETH_P_IP)))
		return protocol;

#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct xd_vlan_tag *tag;

		if (!is_vlan(protocol))
			break;
		tag = cursor_take(cursor, sizeof(*tag));
		if (!tag)
			return 0;
		protocol = tag->protocol;
	}
	return protocol;
}

#define TCP_FLAGS_AT 13 /* one byte: struct tcphdr has bit fields, and each would be a shift of its own */

enum tcp_flags { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

static __always_inline enum xd_event tcp_event(const void *tcp)
{
	__u8 flags = *(const __u8 *)(tcp + TCP_FLAGS_AT);

	if (likely(!(flags & (TCP_SYN | TCP_FIN | TCP_RST))))
		return EVENT_DATA;
	if (flags & TCP_RST || (flags & TCP_SYN && flags & TCP_ACK))
		return EVENT_RESET;
	return flags & TCP_FIN ? EVENT_CLOSE : EVENT_OPEN;
}

/* Source port, then destination port. */
struct xd_ports {
	__be16 source, destination;
};

/* The ports, and what the packet means for its connection; NULL when the frame ends before. */
static __always_inline const struct xd_ports *parse_transport(struct xd_cursor *cursor, __u8 protocol,
							      struct xd_flow *flow)
{
	if (protocol == PROTOCOL_TCP) {
		struct tcphdr *tcp = cursor_take(cursor, sizeof(*tcp));

		if (!tcp)
			return NULL;
		flow->event = tcp_event(tcp);
		return (const struct xd_ports *)tcp;
	}
	flow->event = EVENT_DATA;
	return cursor_take(cursor, sizeof(struct udphdr));
}

/* The bit of w1 that tells UDP from TCP: of their numbers, 17 and 6, it is the fifth. */
static __always_inline __u64 service_udp(__u8 protocol)
{
	return (__u64)(protocol >> 4 & 1) << 15;
}

/* From a client to a virtual server, or, of an ICMP error, what it would be. Ports may be 0: a later fragment. */
static __always_inline void flow_set_ipv4(struct xd_flow *flow, __be32 client, __be32 address, struct xd_ports ports,
					  __u8 protocol)
{
	flow->transport = protocol;
	flow->client = (__u64)client << 32 | (__u64)ports.source << 16;
	flow->service = (__u64)address << 32 | (__u64)ports.destination << 16 | service_udp(protocol);
}

static __always_inline void address_load(__u64 words[2], const struct in6_addr *address)
{
	const __u32 *word = (const __u32 *)address; /* a header need not stand at a multiple of eight */

	words[0] = word[0] | (__u64)word[1] << 32;
	words[1] = word[2] | (__u64)word[3] << 32;
}

static __always_inline void flow_set_ipv6(struct xd_flow *flow, const struct in6_addr *client,
					  const struct in6_addr *address, struct xd_ports ports, __u8 protocol)
{
	__u64 seed = settings.hash_seed;

	address_load(flow->client6, client);
	address_load(flow->address6, address);
	flow->transport = protocol | XD_IPV6;
	flow->client = (__u64)address_fold(flow->client6, seed) << 32 | (__u64)ports.source << 16;
	flow->service = (__u64)address_fold(flow->address6, seed) >> 16 << 48 | (__u64)ports.destination << 16 |
			service_udp(protocol);
}

/* Does any virtual server have the address, or might it? By its index in the filter. */
static __always_inline bool filter_has(__u32 index)
{
	return virtual_addresses.has[index & (XD_FILTER_BYTES - 1)];
}

static __always_inline struct iphdr *take_ipv4(struct xd_cursor *cursor)
{
	struct iphdr *ip = cursor_take(cursor, sizeof(*ip));

	/* A packet from 0.0.0.0 is nobody's. */
	if (!ip || ip->version != 4 || ip->ihl < 5 || !ip->saddr)
		return NULL;
	cursor->at = (void *)ip + ip->ihl * 4; /* options included; what is taken next checks the bounds */
	return ip;
}

static __always_inline struct ipv6hdr *take_ipv6(struct xd_cursor *cursor)
{
	struct ipv6hdr *ip = cursor_take(cursor, sizeof(*ip));

	return ip && ip->version == 6 ? ip : NULL;
}

static __always_inline bool is_tcp_or_udp(__u8 protocol)
{
	return likely(protocol == PROTOCOL_TCP) || protocol == PROTOCOL_UDP;
}

enum next_header {
	NEXT_ICMP = 1,
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_ICMP6 = 58,
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

static __always_inline int parse_ipv4(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct iphdr *ip = take_ipv4(cursor);
	const struct xd_ports *ports;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_index(ip->daddr)))
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
	if (ip->frag_off & bpf_htons(IP_FRAGMENT))
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

static __always_inline int parse_ipv6(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct ipv6hdr *ip = take_ipv6(cursor);
	const struct xd_ports *ports;
	__u8 protocol;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_index6((const struct xd_address *)&ip->daddr)))
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
