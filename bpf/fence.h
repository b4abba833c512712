/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fence: a node whose mastership has run out goes silent. It drops ARP requests for a virtual address whose lease
 * is past, so its kernel, which may still have the address, does not answer. So with the neighbour solicitations of
 * IPv6. What the node says of its own accord is held back by the other half, egress.h; and what is sent to a virtual
 * router's MAC address is judged by the lease, too.
 */
#pragma once

#include "leases.h"
#include "parse.h"

#define ARP_REQUEST 1

struct xd_arp {
	__be16 hardware, protocol;
	__u8 hardware_length, protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

/* Gratuitous ARP asks nothing; during a handover the controller waits for the other router's. */
static __always_inline int is_gratuitous(const struct xd_arp *arp)
{
	return *(const __be32 *)arp->sender == *(const __be32 *)arp->target;
}

static __always_inline int fence_arp(struct xd_cursor *cursor)
{
	struct xd_arp *arp = cursor_take(cursor, sizeof(*arp));

	if (!arp || arp->operation != bpf_htons(ARP_REQUEST) || arp->protocol != bpf_htons(ETH_P_IP))
		return verdict_passed_not_ip;
	if (is_gratuitous(arp))
		return verdict_passed_not_ip;
	return lease_of_ipv4(*(__be32 *)arp->target) == LEASE_ENDED ? verdict_dropped_fenced : verdict_passed_not_ip;
}

#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136

/* A solicitation or an advertisement. */
struct xd_neighbour_message {
	__u8 type, code;
	__be16 checksum;
	__u32 flags;
	struct xd_address target;
};

/* The cursor is behind the IPv6 header. A solicitation has no extension headers. */
static __always_inline int fence_nd(struct xd_cursor cursor)
{
	const struct xd_neighbour_message *question = cursor_take(&cursor, sizeof(*question));
	struct xd_address address;

	if (!question || question->type != ND_SOLICITATION)
		return NO_VERDICT;
	address = question->target;
	return lease_of(&address) == LEASE_ENDED ? verdict_dropped_fenced : NO_VERDICT;
}

/* A frame that is not IPv4. NO_VERDICT: it is IPv6, and not a question for a fenced address. */
static __always_inline int fence_check(struct xd_cursor *cursor, __be16 protocol)
{
	const struct ipv6hdr *ip = cursor->at;

	if (!protocol)
		return verdict_passed_malformed;
	if (protocol == bpf_htons(ETH_P_ARP))
		return fence_arp(cursor);
	if (protocol != bpf_htons(ETH_P_IPV6))
		return verdict_passed_not_ip;
	if ((void *)(ip + 1) > cursor->end)
		return verdict_passed_malformed;
	if (likely(ip->nexthdr != NEXT_ICMP6))
		return NO_VERDICT;
	return fence_nd((struct xd_cursor){(void *)(ip + 1), cursor->end});
}

/* A frame to the MAC address of a virtual router, whose cursor is behind the link layer: whoever is MASTER takes it. */
static __always_inline int fence_virtual_mac(struct xd_cursor cursor, __be16 protocol)
{
	int lease = LEASE_NONE;

	if (protocol == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = cursor_take(&cursor, sizeof(*ip));

		if (ip)
			lease = lease_of_ipv4(ip->daddr);
	} else {
		const struct ipv6hdr *ip = cursor_take(&cursor, sizeof(*ip));
		struct xd_address address;

		if (ip) {
			address = *(const struct xd_address *)&ip->daddr;
			lease = lease_of(&address);
		}
	}
	if (lease == LEASE_RUNS)
		return NO_VERDICT;
	return lease == LEASE_ENDED ? verdict_dropped_virtual_mac : verdict_passed_not_ours;
}
