/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The other half of the fence, at the exit (tc, clsact): what the kernel of a node whose mastership has run out says of
 * its own accord. An ARP packet from a virtual address, a neighbour solicitation from it, a neighbour advertisement for
 * it would pull clients back, whoever caused it: IPv6 has no arp_announce, a bond that changes its port announces every
 * address of its own. And a frame from a virtual router's MAC address (a macvlan on the interface; its frames pass
 * here) would pull a switch's port back.
 *
 * It holds back claims only, and leaves everything else to the filters behind it. Our own announcements are sent while
 * the lease runs.
 */
#pragma once

#include <linux/pkt_cls.h>

#include "count.h"
#include "fence.h"
#include "interfaces.h"
#include "wire.h"

/* An IPv6 packet as far as a claim needs it. ND has no extension headers. */
struct xd_neighbour_packet {
	struct ipv6hdr ip;
	struct xd_neighbour_message message;
};

static __always_inline bool egress_arp_claims(struct __sk_buff *skb, __u32 offset)
{
	struct xd_arp arp;

	if (bpf_skb_load_bytes(skb, offset, &arp, sizeof(arp)) || arp.protocol != bpf_htons(ETH_P_IP))
		return false;
	return lease_of_ipv4(*(__be32 *)arp.sender) == LEASE_ENDED;
}

static __always_inline bool egress_nd_claims(struct __sk_buff *skb, __u32 offset)
{
	struct xd_neighbour_packet packet;

	if (bpf_skb_load_bytes(skb, offset, &packet, sizeof(packet)) || packet.ip.nexthdr != NEXT_ICMP6)
		return false;
	if (packet.message.type == ND_ADVERTISEMENT)
		return lease_of(&packet.message.target) == LEASE_ENDED;
	return packet.message.type == ND_SOLICITATION && lease_of((struct xd_address *)&packet.ip.saddr) == LEASE_ENDED;
}

/* Advertisements leave before there is a lease, and when there is none any more. */
static __always_inline bool egress_is_vrrp(struct __sk_buff *skb, __u32 offset, __be16 protocol)
{
	__u8 next = 0;

	if (protocol == bpf_htons(ETH_P_IP))
		bpf_skb_load_bytes(skb, offset + offsetof(struct iphdr, protocol), &next, sizeof(next));
	else if (protocol == bpf_htons(ETH_P_IPV6))
		bpf_skb_load_bytes(skb, offset + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next));
	return next == PROTOCOL_VRRP;
}

static __always_inline bool egress_claims(struct __sk_buff *skb)
{
	void *frame = (void *)(long)skb->data;
	struct xd_cursor cursor = {frame, (void *)(long)skb->data_end};
	__be16 protocol = parse_link(&cursor);
	__u32 offset = cursor.at - frame;

	if (!protocol)
		return false;
	if (unlikely(is_virtual_mac(*(__u64 *)(frame + 6) & MAC_MASK)) && !egress_is_vrrp(skb, offset, protocol) &&
	    !any_lease_runs())
		return true;
	if (protocol == bpf_htons(ETH_P_ARP))
		return egress_arp_claims(skb, offset);
	return protocol == bpf_htons(ETH_P_IPV6) && egress_nd_claims(skb, offset);
}

SEC("tc")
int egress_fence(struct __sk_buff *skb)
{
	if (likely(!egress_claims(skb)))
		return TC_ACT_UNSPEC; /* as if we were not here: the next filter decides */
	count_verdict(verdict_dropped_claim);
	return TC_ACT_SHOT;
}
