/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From bytes to struct xd_packet. A cursor does all the bounds checks; link layer, network and transport follow it. */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "base.h"

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

/* Ports and event. A packet from port 0 or 0.0.0.0 is nobody's. */
static __always_inline int parse_transport(struct xd_cursor *cursor, const struct iphdr *ip, struct xd_flow *flow)
{
	__be16 source, dest;
	__u64 udp = 0;

	flow->protocol = ip->protocol;
	if (ip->protocol == PROTOCOL_TCP) {
		struct tcphdr *tcp = cursor_take(cursor, sizeof(*tcp));

		if (!tcp)
			return verdict_passed_malformed;
		source = tcp->source;
		dest = tcp->dest;
		flow->event = tcp_event(tcp);
	} else if (ip->protocol == PROTOCOL_UDP) {
		struct udphdr *header = cursor_take(cursor, sizeof(*header));

		if (!header)
			return verdict_passed_malformed;
		source = header->source;
		dest = header->dest;
		flow->event = EVENT_DATA;
		udp = 1;
	} else {
		return verdict_passed_protocol;
	}
	flow->client = (__u64)ip->saddr << 32 | (__u64)source << 16;
	flow->service = (__u64)ip->daddr << 32 | (__u64)dest << 16 | udp << 15;
	return NO_VERDICT;
}

static __always_inline int parse_ipv4(struct xd_cursor *cursor, struct xd_flow *flow)
{
	struct iphdr *ip = cursor_take(cursor, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || !ip->saddr)
		return verdict_passed_malformed;
	cursor->at = (void *)ip + ip->ihl * 4; /* options included; what is taken next checks the bounds */
	if (ip->frag_off & bpf_htons(IP_FRAGMENT))
		return verdict_passed_fragment;
	return parse_transport(cursor, ip, flow);
}
