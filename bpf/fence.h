/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fence: a node whose mastership has run out goes silent. It drops ARP requests for a virtual address whose lease
 * is past, so its kernel, which may still have the address, does not answer. So with the neighbour solicitations of
 * IPv6.
 */
#pragma once

#include "parse.h"
#include "tables.h"

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

/* Only an address with a lease can be fenced: one without VRRP, or given up in order, has none. */
static __always_inline bool address_is_fenced(const struct xd_address *address)
{
	for (__u32 i = 0; i < XD_MAX_LEASES; i++) {
		__u32 key = i;
		struct xd_lease *lease = bpf_map_lookup_elem(&leases, &key);

		if (lease && lease->address.word[3] == address->word[3] && lease->address.word[2] == address->word[2] &&
		    lease->address.word[1] == address->word[1] && lease->address.word[0] == address->word[0])
			return READ_ONCE(lease->until) < bpf_ktime_get_boot_ns();
	}
	return false;
}

/* The verdict on a question for the address: `otherwise`, where it is not fenced. */
SUBPROGRAM int fence_ask(const struct xd_address *address, int otherwise)
{
	return address && address->word[3] && address_is_fenced(address) ? verdict_dropped_fenced : otherwise;
}

static __always_inline int fence_arp(struct xd_cursor *cursor)
{
	struct xd_arp *arp = cursor_take(cursor, sizeof(*arp));
	struct xd_address address = {{0, 0, bpf_htonl(0xffff), 0}};

	if (!arp || arp->operation != bpf_htons(ARP_REQUEST) || arp->protocol != bpf_htons(ETH_P_IP))
		return verdict_passed_not_ip;
	address.word[3] = *(__be32 *)arp->target;
	return fence_ask(&address, verdict_passed_not_ip);
}

#define ND_SOLICITATION 135

struct xd_neighbour_solicitation {
	__u8 type, code;
	__be16 checksum;
	__u32 reserved;
	struct xd_address target;
};

/* The cursor is behind the IPv6 header. A solicitation has no extension headers. */
static __always_inline int fence_nd(struct xd_cursor cursor)
{
	const struct xd_neighbour_solicitation *question = cursor_take(&cursor, sizeof(*question));
	struct xd_address address;

	if (!question || question->type != ND_SOLICITATION)
		return NO_VERDICT;
	address = question->target;
	return fence_ask(&address, NO_VERDICT);
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
