/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fence: a node whose mastership has run out goes silent. It drops ARP requests for a virtual address whose lease
 * is past, so its kernel, which may still have the address, does not answer. Neighbour solicitations will join them.
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
static __always_inline bool address_is_fenced(__be32 address)
{
	for (__u32 i = 0; i < XD_MAX_LEASES; i++) {
		__u32 key = i;
		struct xd_lease *lease = bpf_map_lookup_elem(&leases, &key);

		if (lease && READ_ONCE(lease->address) == address)
			return READ_ONCE(lease->until) < bpf_ktime_get_boot_ns();
	}
	return false;
}

SUBPROGRAM int fence_check(__be32 address)
{
	return address && address_is_fenced(address) ? verdict_dropped_fenced : verdict_passed_not_ip;
}

static __always_inline int fence_arp(struct xd_cursor *cursor)
{
	struct xd_arp *arp = cursor_take(cursor, sizeof(*arp));

	if (!arp || arp->operation != bpf_htons(ARP_REQUEST) || arp->protocol != bpf_htons(ETH_P_IP))
		return verdict_passed_not_ip;
	return fence_check(*(__be32 *)arp->target);
}
