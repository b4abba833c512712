/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * VRRP as it arrives, before any firewall of the kernel's: who advertises which virtual router. The controller compares
 * it with what its socket gets. Nothing is decided by it.
 */
#pragma once

#include "parse.h"
#include "tables.h"

#define PROTOCOL_VRRP 112
#define TAG_VLAN_ID   0x0fff

/* Of version 2 and 3. */
struct xd_vrrp {
	__u8 version_type, virtual_router_id, priority, addresses;
	__u8 rest[4];
};

static __always_inline void wire_count(const struct xd_vrrp_key *key, const struct xd_vrrp *vrrp)
{
	struct xd_vrrp_seen first = {.count = 1}, *seen = bpf_map_lookup_elem(&vrrp_seen, key);

	if (seen)
		__sync_fetch_and_add(&seen->count, 1);
	else
		seen = &first;
	seen->priority = vrrp->priority;
	seen->version = vrrp->version_type >> 4;
	WRITE_ONCE(seen->at, bpf_ktime_get_boot_ns());
	if (seen == &first)
		bpf_map_update_elem(&vrrp_seen, key, &first, BPF_ANY);
}

/* The cursor is behind the link layer. */
static __always_inline const struct xd_vrrp *take_vrrp(struct xd_cursor *cursor, __be16 protocol,
						       struct xd_address *sender)
{
	if (protocol == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = take_ipv4(cursor);

		if (!ip || ip->frag_off & bpf_htons(IP_OFFSET))
			return NULL;
		*sender = (struct xd_address){{0, 0, bpf_htonl(0xffff), ip->saddr}};
	} else {
		const struct ipv6hdr *ip = take_ipv6(cursor);

		if (!ip)
			return NULL;
		*sender = *(const struct xd_address *)&ip->saddr;
	}
	return cursor_take(cursor, sizeof(struct xd_vrrp));
}

/* VRRP is rare: it is read once more from its beginning, and nobody else has to carry anything for it. */
SUBPROGRAM int wire_note(struct xdp_md *ctx)
{
	struct xd_cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	struct xd_vrrp_key key = {.ifindex = ctx->ingress_ifindex};
	struct xd_ethernet *ethernet = cursor_take(&cursor, sizeof(*ethernet));
	const struct xd_vrrp *vrrp;
	__be16 protocol;

	if (!ethernet)
		return 0;
	protocol = ethernet->protocol;
#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct xd_vlan_tag *tag;

		if (!is_vlan(protocol))
			break;
		tag = cursor_take(&cursor, sizeof(*tag));
		if (!tag)
			return 0;
		key.tag[i] = bpf_ntohs(tag->control) & TAG_VLAN_ID;
		protocol = tag->protocol;
	}
	vrrp = take_vrrp(&cursor, protocol, &key.sender);
	if (!vrrp)
		return 0;
	key.virtual_router_id = vrrp->virtual_router_id;
	wire_count(&key, vrrp);
	return 0;
}

/* A packet that is the kernel's; the cursor is behind the link layer. */
static __always_inline void wire_watch(struct xdp_md *ctx, struct xd_cursor network, __be16 protocol)
{
	if (network.at + sizeof(struct iphdr) > network.end)
		return;
	if (protocol == bpf_htons(ETH_P_IP) ? ((const struct iphdr *)network.at)->protocol == PROTOCOL_VRRP
					    : ((const struct ipv6hdr *)network.at)->nexthdr == PROTOCOL_VRRP)
		wire_note(ctx);
}
