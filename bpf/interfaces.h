/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is the frame for us? Switches flood, and two directors must not both answer. And is it from a peer director? It has
 * chosen this machine as the real server, and would get it back if we chose the peer: delivered here, never forwarded.
 */
#pragma once

#include "tables.h"

#define MAC_MASK 0xffffffffffffULL /* of the first six bytes of a word */

/* 00-00-5e-00-01-VRID and 00-00-5e-00-02-VRID: a virtual router's, for IPv4 and for IPv6 (RFC 9568, 7.3). */
#define VIRTUAL_MAC_MASK 0x00ffffffffffULL
#define VIRTUAL_MAC_IPV4 0x01005e0000ULL
#define VIRTUAL_MAC_IPV6 0x02005e0000ULL

#define TO_VIRTUAL_MAC (NO_VERDICT + 1) /* for whoever is MASTER */

static __always_inline bool is_virtual_mac(__u64 mac)
{
	__u64 router = mac & VIRTUAL_MAC_MASK;

	return router == VIRTUAL_MAC_IPV4 || router == VIRTUAL_MAC_IPV6;
}

static __always_inline bool frame_is_peers(const void *frame, const struct xd_interface *interface)
{
	__u64 source = *(const __u64 *)(frame + 6) & MAC_MASK;

#pragma unroll
	for (__u32 i = 0; i < XD_MAX_PEERS; i++) {
		if (i < interface->peers && interface->peer[i] == source)
			return true;
	}
	return false;
}

/* Needs a whole Ethernet header. NO_VERDICT: it is for us to look at. TO_VIRTUAL_MAC: it may be. */
static __always_inline int frame_judge(const void *frame, __u32 ifindex)
{
	__u64 destination = *(const __u64 *)frame & MAC_MASK;

#pragma unroll
	for (__u32 i = 0; i < XD_INTERFACE_PROBES; i++) {
		__u32 key = (ifindex + i) % XD_INTERFACES;
		struct xd_interface *interface = bpf_map_lookup_elem(&interfaces, &key);

		if (!interface || interface->ifindex != ifindex)
			continue;
		if (READ_ONCE(interface->mac_word) != destination)
			return is_virtual_mac(destination) ? TO_VIRTUAL_MAC : verdict_passed_not_ours;
		return unlikely(interface->peers) && frame_is_peers(frame, interface) ? verdict_passed_peer
										      : NO_VERDICT;
	}
	return verdict_passed_not_ours;
}
