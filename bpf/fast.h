/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: a packet of an established connection, plain Ethernet or one VLAN tag, an IP header without options.
 * It does what the steps in full would do, and leaves everything else to them: a packet of another kind to be read from
 * its beginning, a packet of no such connection with its flow. Here every instruction counts.
 */
#pragma once

#include "count.h"
#include "follow.h"
#include "interfaces.h"
#include "parse.h"
#include "rewrite.h"

#define NOT_READ   -1 /* for the steps in full ... */
#define NOT_STEADY -2 /* ... or for all of them but the first: its flow is read */

/* What of a frame the fast path reads, from the byte behind a VLAN tag on. */
struct xd_fast {
	const void *network;
	const void *end;
};

static __always_inline bool fast_parse_ports(const void *transport, __u8 protocol, struct xd_flow *flow,
					     struct xd_ports *ports)
{
	const struct tcphdr *tcp = transport; /* both have the ports in front */

	*ports = (struct xd_ports){.source = tcp->source, .destination = tcp->dest};
	flow->event = EVENT_DATA;
	if (likely(protocol == PROTOCOL_TCP)) {
		flow->event = tcp_event(transport);
		return true;
	}
	return protocol == PROTOCOL_UDP;
}

static __always_inline bool fast_parse_ipv4(struct xd_fast frame, struct xd_flow *flow)
{
	const struct iphdr *ip = frame.network;
	struct xd_ports ports;

	if (frame.network + sizeof(*ip) + sizeof(struct tcphdr) > frame.end)
		return false;
	if (*(const __u8 *)ip != 0x45 || ip->frag_off & bpf_htons(IP_FRAGMENT) || !ip->saddr)
		return false;
	if (!filter_has(xd_filter_index(ip->daddr)) || !fast_parse_ports(ip + 1, ip->protocol, flow, &ports))
		return false;
	flow_set_ipv4(flow, ip->saddr, ip->daddr, ports, ip->protocol);
	return true;
}

static __always_inline bool fast_parse_ipv6(struct xd_fast frame, struct xd_flow *flow)
{
	const struct ipv6hdr *ip = frame.network;
	struct xd_ports ports;

	if (frame.network + sizeof(*ip) + sizeof(struct tcphdr) > frame.end)
		return false;
	if (ip->version != 6)
		return false;
	if (!filter_has(xd_filter_index6((const struct xd_address *)&ip->daddr)) ||
	    !fast_parse_ports(ip + 1, ip->nexthdr, flow, &ports))
		return false;
	flow_set_ipv6(flow, &ip->saddr, &ip->daddr, ports, ip->nexthdr);
	return true;
}

/* The connection's real server, when packets go to it as they did. */
static __always_inline struct xd_real_server *fast_follow(struct xd_flow *flow, bool ipv6)
{
	struct xd_real_server *server;

	if (flow->event != EVENT_DATA || !connection_find(flow, ipv6) || !connection_is_steady(flow))
		return NULL;
	flow->slot = flow->w0 & SLOT_MASK;
	server = real_server_at(flow->slot);
	return server && real_server_serves(server, flow, ipv6) ? server : NULL;
}

static __always_inline int fast_send(struct xdp_md *ctx, void *frame, __u32 bytes, struct xd_flow *flow,
				     struct xd_flow *read, bool ipv6)
{
	struct xd_real_server *server;
	__u64 target = 0;

	flow->tick = current_tick();
	server = fast_follow(flow, ipv6);
	if (likely(server))
		target = READ_ONCE(server->target);
	if (unlikely(!server || !target_serves(target))) {
		*read = (struct xd_flow){.client = flow->client,
					 .service = flow->service,
					 .tick = flow->tick,
					 .transport = flow->transport,
					 .event = flow->event,
					 .client6 = {flow->client6[0], flow->client6[1]},
					 .address6 = {flow->address6[0], flow->address6[1]}};
		return NOT_STEADY;
	}
	rewrite_macs(frame, target, READ_ONCE(server->source));
	count_forwarded(flow->slot, bytes, verdict_forwarded);
	count_verdict(verdict_forwarded);
	return rewrite_send(ctx->ingress_ifindex, server);
}

/* Returns the action, or what is left to do; `read` is the flow of a packet that is NOT_STEADY. */
static __always_inline int fast_path(struct xdp_md *ctx, __u32 bytes, struct xd_flow *read)
{
	void *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct xd_ethernet *ethernet = start;
	struct xd_fast frame = {start + sizeof(*ethernet), end};
	struct xd_flow flow = {};
	__be16 protocol;

	if (start + sizeof(*ethernet) + sizeof(struct xd_vlan_tag) > end ||
	    frame_judge(start, ctx->ingress_ifindex) != NO_VERDICT)
		return NOT_READ;
	protocol = ethernet->protocol;
	if (unlikely(protocol == bpf_htons(ETH_P_8021Q))) {
		protocol = ((const struct xd_vlan_tag *)frame.network)->protocol;
		frame.network += sizeof(struct xd_vlan_tag);
	}
	if (likely(protocol == bpf_htons(ETH_P_IP)) && fast_parse_ipv4(frame, &flow))
		return fast_send(ctx, start, bytes, &flow, read, false);
	if (protocol == bpf_htons(ETH_P_IPV6) && fast_parse_ipv6(frame, &flow))
		return fast_send(ctx, start, bytes, &flow, read, true);
	return NOT_READ;
}
