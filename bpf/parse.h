/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to a flow. A cursor does all the bounds checks; link layer, network and transport follow it. What is usual
 * is read here, TCP and UDP behind a plain IP header; the rest is `UNUSUAL` and read in unusual.h.
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

#define MAX_VLAN_TAGS 2
#define IP_FRAGMENT   0x3fff /* more fragments, or an offset */

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

/* From a client to a virtual server, or, of an ICMP error, what it would be. Ports may be 0: a later fragment. */
static __always_inline void flow_set_ipv4(struct xd_flow *flow, __be32 client, __be32 address, struct xd_ports ports,
					  __u8 protocol)
{
	flow->transport = protocol;
	flow->client = (__u64)client << 32 | (__u64)ports.source << 16;
	flow->service = (__u64)address << 32 | (__u64)ports.destination << 16 | (__u64)(protocol == PROTOCOL_UDP) << 15;
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
			(__u64)(protocol == PROTOCOL_UDP) << 15;
}

/* Does any virtual server have the address, or might it? */
static __always_inline bool filter_has(__u32 bit)
{
	bit &= XD_FILTER_BITS - 1;
	return virtual_addresses.word[bit / 64] >> bit % 64 & 1;
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

static __always_inline bool is_tcp_or_udp(__u8 protocol)
{
	return likely(protocol == PROTOCOL_TCP) || protocol == PROTOCOL_UDP;
}

static __always_inline int parse_ipv4(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct iphdr *ip = take_ipv4(cursor);
	const struct xd_ports *ports;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_bit(ip->daddr)))
		return verdict_passed_no_service;
	if (unlikely(!is_tcp_or_udp(ip->protocol) || ip->frag_off & bpf_htons(IP_FRAGMENT)))
		return UNUSUAL;
	ports = parse_transport(cursor, ip->protocol, flow);
	if (!ports)
		return verdict_passed_malformed;
	flow_set_ipv4(flow, ip->saddr, ip->daddr, *ports, ip->protocol);
	return NO_VERDICT;
}

static __always_inline struct ipv6hdr *take_ipv6(struct xd_cursor *cursor)
{
	struct ipv6hdr *ip = cursor_take(cursor, sizeof(*ip));

	return ip && ip->version == 6 ? ip : NULL;
}

static __always_inline int parse_ipv6(struct xd_cursor *cursor, struct xd_flow *flow)
{
	const struct ipv6hdr *ip = take_ipv6(cursor);
	const struct xd_ports *ports;

	if (!ip)
		return verdict_passed_malformed;
	if (!filter_has(xd_filter_bit6((const struct xd_address *)&ip->daddr)))
		return verdict_passed_no_service;
	if (unlikely(!is_tcp_or_udp(ip->nexthdr)))
		return UNUSUAL;
	ports = parse_transport(cursor, ip->nexthdr, flow);
	if (!ports)
		return verdict_passed_malformed;
	flow_set_ipv6(flow, &ip->saddr, &ip->daddr, *ports, ip->nexthdr);
	return NO_VERDICT;
}
