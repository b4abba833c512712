// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet's way, as a table of contents: one step, one header. */
#include "base.h"
#include "tables.h"      /* the maps */
#include "parse.h"       /* bytes to addresses, ports, event */
#include "fence.h"       /* ARP and ND for an address that is not ours any more */
#include "interfaces.h"  /* is the frame for us? from a peer director? */
#include "connections.h" /* the table: find, touch, place, settle */
#include "services.h"    /* which virtual server? */
#include "persistence.h" /* which real server had this client? */
#include "schedule.h"    /* which real server is next? */
#include "follow.h"      /* a known connection */
#include "begin.h"       /* a new one */
#include "rewrite.h"     /* new MAC addresses, and out */
#include "unusual.h"     /* ICMP errors, fragments, extension headers */
#include "count.h"       /* one verdict per packet */

/* Fills in the packet's flow, or says why it has none. */
static __always_inline int packet_parse(struct xd_cursor *cursor, struct xd_packet *packet)
{
	__be16 protocol = parse_link(cursor);
	int verdict;

	if (unlikely(!protocol))
		return verdict_passed_malformed;
	if (unlikely(protocol == bpf_htons(ETH_P_ARP)))
		return fence_arp(cursor);
	if (protocol == bpf_htons(ETH_P_IPV6)) {
		verdict = fence_icmp6(*cursor);
		if (unlikely(verdict != NO_VERDICT))
			return verdict;
	} else if (unlikely(protocol != bpf_htons(ETH_P_IP))) {
		return verdict_passed_not_ip;
	}
	verdict = frame_judge(packet->frame, packet->ifindex);
	if (verdict != NO_VERDICT)
		return verdict;
	packet->flow.tick = current_tick();
	return protocol == bpf_htons(ETH_P_IP) ? parse_ipv4(cursor, &packet->flow) : parse_ipv6(cursor, &packet->flow);
}

/* The real server that the flow goes to, and by which verdict. */
static __always_inline int packet_direct(struct xd_flow *flow, struct xd_flow *copy, struct xd_real_server **server,
					 bool ipv6)
{
	int verdict;

	*server = connection_follow(flow, copy, ipv6);
	if (likely(*server))
		return verdict_forwarded;
	*copy = *flow;
	verdict = connection_begin(copy);
	flow->slot = copy->slot;
	if (verdict_forwards(verdict))
		*server = real_server_at(flow->slot);
	return verdict;
}

/* A flow that is in memory anyway. */
static __always_inline int packet_direct_unusual(struct xd_flow *flow, struct xd_real_server **server)
{
	int verdict =
	    flow_is_ipv6(flow) ? packet_direct(flow, flow, server, true) : packet_direct(flow, flow, server, false);

	if (*server && flow->fragment == FRAGMENT_FIRST)
		fragment_learn(flow);
	return verdict;
}

static __always_inline int packet_choose(struct xdp_md *ctx, struct xd_packet *packet, struct xd_real_server **server)
{
	struct xd_cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	struct xd_flow copy = {};
	int verdict;

	packet->frame = cursor.at;
	packet->ifindex = ctx->ingress_ifindex;
	verdict = packet_parse(&cursor, packet);
	if (likely(verdict == NO_VERDICT))
		return flow_is_ipv6(&packet->flow) ? packet_direct(&packet->flow, &copy, server, true)
						   : packet_direct(&packet->flow, &copy, server, false);
	if (likely(verdict != UNUSUAL))
		return verdict;
	copy.tick = packet->flow.tick;
	verdict = packet_read_unusual(ctx, &copy);
	if (verdict == NO_VERDICT)
		verdict = packet_direct_unusual(&copy, server);
	else if (verdict_forwards(verdict))
		*server = real_server_at(copy.slot);
	packet->flow.slot = copy.slot;
	return verdict;
}

/* What is not sent, although it has a real server. */
static __always_inline int packet_keep(struct xd_packet *packet, __u32 delivery, int *verdict)
{
	if (delivery != XD_LOCAL) {
		*verdict = verdict_dropped_no_mac;
		return XDP_DROP;
	}
	count_forwarded(packet->flow.slot, packet->bytes, *verdict);
	*verdict = verdict_passed_local;
	return XDP_PASS;
}

static __always_inline int packet_send(struct xd_packet *packet, struct xd_real_server *server, int *verdict)
{
	__u64 target = READ_ONCE(server->target);
	__u32 delivery = target_delivery(target);

	if (unlikely(delivery != XD_BY_MAC))
		return packet_keep(packet, delivery, verdict);
	rewrite_macs(packet->frame, target, READ_ONCE(server->source));
	count_forwarded(packet->flow.slot, packet->bytes, *verdict);
	return rewrite_send(packet, server);
}

static __always_inline int packet_process(struct xdp_md *ctx, __u32 bytes)
{
	struct xd_packet packet = {.bytes = bytes};
	struct xd_real_server *server = NULL;
	int action = XDP_PASS;
	int verdict = packet_choose(ctx, &packet, &server);

	if (server)
		action = packet_send(&packet, server, &verdict);
	else if (verdict_drops(verdict))
		action = XDP_DROP;
	count_verdict(verdict);
	return action;
}

SEC("xdp")
int xdirector(struct xdp_md *ctx)
{
	return packet_process(ctx, ctx->data_end - ctx->data);
}

/* The same for frames of several buffers, of which data to data_end is the first: no header lies beyond it. */
SEC("xdp.frags")
int xdirector_frags(struct xdp_md *ctx)
{
	return packet_process(ctx, bpf_xdp_get_buff_len(ctx));
}

char _license[] SEC("license") = "Dual BSD/GPL";
